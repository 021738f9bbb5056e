#include "trainer/report/page.hpp"

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/media/thumbnail.hpp"
#include "common/sealed/draft_file.hpp"
#include "packer/build/build.hpp"
#include "tests/support/pictures.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"
#include "tests/support/small_run.hpp"
#include "trainer/report/gnuplot.hpp"
#include "trainer/report/html.hpp"
#include "trainer/report/link.hpp"
#include "trainer/report/report_json.hpp"
#include "trainer/results/run_check.hpp"
#include "trainer/results/run_seal.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::make_run;
namespace fs = std::filesystem;

namespace {

bool has_gnuplot() {
  const bool is_there = gnuplot_version().has_value();
  if (!is_there) MESSAGE("skipped: gnuplot is not installed");
  return is_there;
}

std::string page_of(const std::vector<fs::path>& runs, const fs::path& page,
                    const packer::VerifiedPack* pack = nullptr) {
  const Comparison comparison = compare_runs(runs);
  return write_page({comparison, choose_examples(comparison, pack), page});
}

// A run whose questions and clips are those of the small pack.
fs::path run_on(const packer::VerifiedPack& pack, const fs::path& root) {
  return make_run(root, {.pack_id = pack.id().hex(),
                         .scores = {0, 1, 0},
                         .question_ids = {"10", "11", "20"},
                         .token_f1 = {1, 0},
                         .clip_ids = {"video_1", "video_2"}});
}

std::vector<fs::path> two_settings(const fs::path& root) {
  std::vector<fs::path> runs;
  for (const int seed : {42, 43}) {
    runs.push_back(make_run(root, {.scores = {1, 0, 0.3, 0},
                                   .kl = 0.4,
                                   .token_f1 = {1, 0.5},
                                   .sweep = {1, 0.6, 0.6, 0.3},
                                   .steps = 40,
                                   .seed = seed}));
    NullSpaceMetrics space{"gate", 1, 10, 96, 600, 0.99, 1e-7, 2e-6, 1e-6};
    runs.push_back(make_run(root, {.variant = "full_safe",
                                   .scores = {1, 1, 0, 0},
                                   .kl = 0.1,
                                   .token_f1 = {1, 0.5},
                                   .sweep = {1, 1, 1, 0.9},
                                   .steps = 40,
                                   .null_space = space,
                                   .seed = seed}));
  }
  return runs;
}

void write_report(const std::vector<fs::path>& runs, const fs::path& page,
                  const ComparisonOptions& options = {}) {
  const Comparison comparison = compare_runs(runs, options);
  common::write_file(fs::path(page).replace_extension(".json"), common::dump_pretty(to_json(comparison)));
  common::write_file(page, write_page({comparison, choose_examples(comparison, nullptr), page}));
}

std::string what_of(const ReportCheck& check) {
  std::string all;
  for (const common::Finding& finding : check.findings) all += finding.path + " " + finding.what + "\n";
  return all;
}

}  // namespace

TEST_CASE("a page has a figure for each question, its numbers in tables, and is the same every time") {
  if (!has_gnuplot()) return;
  const support::Scratch scratch;
  const std::vector<fs::path> runs = two_settings(scratch.path());
  const std::string page = page_of(runs, scratch / "report.html");
  CHECK(page == page_of(runs, scratch / "report.html"));
  for (const char* part :
       {"id=\"trade-off-title\"", "id=\"trade-off-narrow-title\"", "id=\"sweep-title\"", "id=\"drift-title\"",
        "id=\"curve-1-title\"", "kl term", "no_retention → ", "in 4 runs from 1 pack. 4 questions",
        "Content-Security-Policy", "var(--s1)", "config.json of"}) {
    CAPTURE(part);
    CHECK(page.find(part) != std::string::npos);
  }
}

TEST_CASE("a page fetches nothing and runs nothing") {
  if (!has_gnuplot()) return;
  const support::Scratch scratch;
  const std::string page = page_of(two_settings(scratch.path()), scratch / "report.html");
  for (const char* part :
       {"http:", "https:", "<script", "javascript:", "url(", "@import", "<link", "<iframe", "rgb("}) {
    CAPTURE(part);
    CHECK(page.find(part) == std::string::npos);
  }
}

TEST_CASE("questions, answers and labels are data, whatever they say") {
  if (!has_gnuplot()) return;
  const support::Scratch scratch;
  const std::string evil = "</style><script>alert('x')</script>\" onload=\"y";
  const fs::path first = make_run(
      scratch.path(),
      {.scores = {0, 0, 0, 0}, .question = evil, .wrong_answer = evil, .more_config = {{"note", evil}}});
  const fs::path second =
      make_run(scratch.path(),
               {.question = evil, .more_config = {{"note", "`touch " + (scratch / "pwned").string() + "`"}}});
  const std::string page = page_of({first, second}, scratch / "report.html");
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("\" onload=\"") == std::string::npos);
  CHECK(page.find("&lt;script&gt;") != std::string::npos);
  CHECK_FALSE(fs::exists(scratch / "pwned"));
}

TEST_CASE("pictures and sounds come from the verified pack of the runs, and from no other") {
  if (!has_gnuplot()) return;
  const support::Scratch scratch;
  const packer::BuildRequest request = support::small_sources(scratch.path());
  (void)packer::build_pack(request);
  const packer::VerifiedPack pack = packer::open_pack(request.dest_root, {{}, 2, common::Verbosity::quiet});
  const support::RunRecipe recipe{.pack_id = pack.id().hex(),
                                  .scores = {0, 1, 0},
                                  .question_ids = {"10", "11", "20"},
                                  .token_f1 = {1, 0},
                                  .clip_ids = {"video_1", "video_2"}};
  const fs::path run = make_run(scratch.path(), recipe);
  const std::string page = page_of({run}, scratch / "report.html", &pack);
  CHECK(page.find("src=\"data:image/jpeg;base64,") != std::string::npos);
  CHECK(page.find("src=\"data:audio/wav;base64,") != std::string::npos);
  CHECK(page_of({run}, scratch / "report.html").find("data:image") == std::string::npos);
  const fs::path other = make_run(scratch.path(), {});
  CHECK_THROWS_WITH_AS((void)page_of({other}, scratch / "report.html", &pack),
                       doctest::Contains("name that pack"), common::Error);
}

TEST_CASE("a report leads to the bytes of its runs, also when both have moved together") {
  if (!has_gnuplot()) return;
  const support::Scratch scratch;
  write_report(two_settings(scratch / "a/runs"), scratch / "a/report.html");
  const ReportCheck check = verify_report({scratch / "a/report.html", {}});
  CHECK(what_of(check) == "");
  CHECK(check.pack_ids == std::vector<std::string>{std::string(64, 'a')});
  fs::rename(scratch / "a", scratch / "b");
  CHECK(what_of(verify_report({scratch / "b/report.html", {}})) == "");
  fs::rename(scratch / "b/runs", scratch / "elsewhere");
  CHECK(what_of(verify_report({scratch / "b/report.html", {}})).find("--runs") != std::string::npos);
  CHECK(what_of(verify_report({scratch / "b/report.html", scratch / "elsewhere"})) == "");
}

TEST_CASE("every change to a report or to its runs is found") {
  if (!has_gnuplot()) return;
  using Damage = void (*)(const fs::path& root, const fs::path& run);
  struct Case {
    const char* what;
    Damage damage;
  };
  const auto edit = [](const fs::path& path, const std::string& from, const std::string& to) {
    std::string text = support::text_of_file(path);
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    support::put_file(path, text.replace(at, from.size(), to));
  };
  static const auto change = edit;
  const Case cases[] = {
      {"has changed since it was written",
       [](const fs::path& root, const fs::path&) { change(root / "report.html", "full_safe", "full_sage"); }},
      {"has SHA-256",
       [](const fs::path&, const fs::path& run) { change(run / "predictions.jsonl", "red", "rod"); }},
      {"is another run",
       [](const fs::path&, const fs::path& run) {
         // Whole, and sealed again.
         support::put_file(run / "timings.json", "{}");
         fs::remove(run / common::k_seal_name);
         seal_run(run);
       }},
      {"is not there", [](const fs::path& root, const fs::path& run) { fs::rename(run, root / "gone"); }},
      {"says other numbers than follow from the runs",
       [](const fs::path& root, const fs::path&) { change(root / "report.json", "0.75", "0.85"); }},
      {"never finished",
       [](const fs::path&, const fs::path& run) { fs::remove(run / common::k_seal_name); }}};
  for (const Case& one : cases) {
    CAPTURE(one.what);
    const support::Scratch scratch;
    const std::vector<fs::path> runs = two_settings(scratch / "runs");
    write_report(runs, scratch / "report.html");
    one.damage(scratch.path(), runs.front());
    CHECK(what_of(verify_report({scratch / "report.html", {}})).find(one.what) != std::string::npos);
  }
}

TEST_CASE(
    "a page whose numbers do not follow from its runs is found even where its own digest was made anew") {
  if (!has_gnuplot()) return;
  const support::Scratch scratch;
  const std::vector<fs::path> runs = two_settings(scratch / "runs");
  const Comparison comparison = compare_runs(runs);
  const PageSources sources{run_paths_from(comparison, scratch / "report.html"), "none", "gnuplot", "none"};
  std::string page = "<html>" + link_lines(comparison, sources);
  const std::string digest = common::digest_of(common::dump_pretty(to_json(comparison))).hex();
  page.replace(page.find(digest), 64, std::string(64, '1'));
  common::write_file(scratch / "report.html", seal_page(page));
  CHECK(what_of(verify_report({scratch / "report.html", {}})).find("other numbers") != std::string::npos);
}

namespace {

// Replaces the first `from` and makes the page's own digest anew, as somebody would who edits a page.
void edit_page(const fs::path& page, const std::string& from, const std::string& to) {
  std::string text = support::text_of_file(page);
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  text.replace(at, from.size(), to);
  const std::string begin = "<meta name=\"safe-report-page\" content=\"";
  text.replace(text.find(begin) + begin.size(), 64, std::string(64, '0'));
  support::put_file(page, seal_page(text));
}

}  // namespace

TEST_CASE("a number, a word or a curve that is typed into a page is found, its digest made anew or not") {
  if (!has_gnuplot()) return;
  const support::Scratch scratch;
  const fs::path page = scratch / "report.html";
  write_report(two_settings(scratch / "runs"), page);
  const std::string whole = support::text_of_file(page);
  CHECK(what_of(verify_report({page, {}})) == "");
  // Every digit that a reader sees: the first of every tenth text between tags.
  std::vector<std::size_t> places;
  for (std::size_t at = whole.find("<body>"); (at = whole.find('>', at)) != std::string::npos; ++at) {
    const std::size_t end = whole.find('<', at), digit = whole.find_first_of("0123456789", at);
    if (digit < end) places.push_back(digit);
  }
  REQUIRE(places.size() > 100);
  for (std::size_t i = 0; i < places.size(); i += places.size() / 20) {
    CAPTURE(whole.substr(places[i] - 20, 40));
    std::string edited = whole;
    edited[places[i]] = edited[places[i]] == '9' ? '8' : '9';
    support::put_file(page, edited);
    edit_page(page, "<body>", "<body>");
    CHECK(what_of(verify_report({page, {}})).find("is not what follows from its runs; line") !=
          std::string::npos);
    support::put_file(page, whole);
  }
  for (const auto& edit : std::vector<std::pair<std::string, std::string>>{
           {"</h1>", " Yes.</h1>"},
           {"<meta name=\"safe-report-media\" content=\"none\">",
            "<meta name=\"safe-report-media\" content=\"pack\">"},
           {"class=\"note\"", "class=\"nope\""},
           {"<desc id=\"trade-off-desc\">Up", "<desc id=\"trade-off-desc\">Down"},
           {"</main>", "<img src=\"data:image/jpeg;base64,AAAA\"></main>"}}) {
    CAPTURE(edit.first);
    edit_page(page, edit.first, edit.second);
    CHECK(what_of(verify_report({page, {}})).find("is not what follows") != std::string::npos);
    support::put_file(page, whole);
  }
  const std::size_t curve = whole.find("<path", whole.find("id=\"curve-1-desc\""));
  REQUIRE(curve != std::string::npos);
  edit_page(page, whole.substr(curve, 40), "<path class='x' " + whole.substr(curve + 5, 35));
  CHECK(what_of(verify_report({page, {}})).find("is not what follows") != std::string::npos);
}

TEST_CASE("without gnuplot a page has no figures, says so, and can be followed to its bytes") {
  const support::Scratch scratch;
  const std::vector<fs::path> runs = two_settings(scratch.path());
  const Comparison comparison = compare_runs(runs);
  const fs::path page = scratch / "report.html";
  const auto write = [&](const FigureSource& figures) {
    return write_page({.comparison = comparison,
                       .examples = choose_examples(comparison, nullptr),
                       .page = page,
                       .figures = figures});
  };
  const std::string bare = write({k_no_gnuplot, draw_nothing}), framed = write({"gnuplot 5", frame_svg});
  CHECK(bare.find("gnuplot was not installed") != std::string::npos);
  CHECK(bare.find("<figure") == std::string::npos);
  CHECK(framed.find("gnuplot was not installed") == std::string::npos);
  CHECK(framed.find("<figure") != std::string::npos);
  // Whether this machine has gnuplot or not.
  common::write_file(page, bare);
  const ReportCheck check = verify_report({page, {}, {}, nullptr});
  CHECK(check.findings.empty());
  CHECK(check.not_compared.empty());
}

TEST_CASE("figures of another gnuplot are not compared, and everything else is") {
  if (!has_gnuplot()) return;
  const support::Scratch scratch;
  const fs::path page = scratch / "report.html";
  write_report(two_settings(scratch / "runs"), page);
  const std::string version = gnuplot_version().value_or("");
  CHECK(version.starts_with("gnuplot "));
  CHECK(verify_report({page, {}}).not_compared.empty());
  edit_page(page, "content=\"" + version, "content=\"gnuplot 1.0");
  const ReportCheck check = verify_report({page, {}});
  CHECK(what_of(check) == "");
  REQUIRE(check.not_compared.size() == 1);
  CHECK(check.not_compared.front().find(version) != std::string::npos);
  CHECK(check.not_compared.front().find("figures") != std::string::npos);
  std::string text = support::text_of_file(page);
  const std::size_t path = text.find("<path", text.find("id=\"curve-1-desc\""));
  edit_page(page, text.substr(path, 40), "<path class='x' " + text.substr(path + 5, 35));
  CHECK(what_of(verify_report({page, {}})) == "");
  edit_page(page, "<td>", "<td>9");
  CHECK(what_of(verify_report({page, {}})).find("is not what follows") != std::string::npos);
}

TEST_CASE("pictures and sounds of a page are compared with the pack, and only with it") {
  if (!has_gnuplot()) return;
  const support::Scratch scratch;
  const packer::BuildRequest request = support::small_sources(scratch.path());
  (void)packer::build_pack(request);
  const packer::VerifiedPack pack = packer::open_pack(request.dest_root, {{}, 2, common::Verbosity::quiet});
  const fs::path run = run_on(pack, scratch / "runs");
  const fs::path page = scratch / "report.html";
  common::write_file(page, page_of({run}, page, &pack));
  const ReportCheck alone = verify_report({page, {}});
  CHECK(what_of(alone) == "");
  REQUIRE(alone.not_compared.size() == 1);
  CHECK(alone.not_compared.front().find("--pack") != std::string::npos);
  const ReportCheck with_pack = verify_report({page, {}, {}, &pack});
  CHECK(what_of(with_pack) == "");
  CHECK(with_pack.not_compared.empty());
  edit_page(page, "data:image/jpeg;base64,", "data:image/jpeg;base64,AAAA");
  CHECK(what_of(verify_report({page, {}})) == "");
  CHECK(what_of(verify_report({page, {}, {}, &pack})).find("is not what follows") != std::string::npos);
  edit_page(page, "data:image/jpeg;base64,", "data:text/html;base64,");
  CHECK(what_of(verify_report({page, {}})).find("is not what follows") != std::string::npos);
}

TEST_CASE("a picture is shown small, whatever its form, with its file and digest in the pack") {
  if (!has_gnuplot()) return;
  const support::Scratch scratch;
  const packer::BuildRequest request = support::small_sources(scratch.path());
  std::string noise;
  std::uint32_t state = 1;
  for (int i = 0; i < 800 * 600 * 3; ++i)
    noise += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  const common::Bytes png = support::png_file(800, 600, 8, support::k_rgb, noise);
  support::put(scratch / "vqa/images/val2014" / support::image_name(1), png);
  (void)packer::build_pack(request);
  const packer::VerifiedPack pack = packer::open_pack(request.dest_root, {{}, 2, common::Verbosity::quiet});
  const fs::path run = run_on(pack, scratch / "runs");
  const fs::path page = scratch / "report.html";
  common::write_file(page, page_of({run}, page, &pack));
  const std::string text = support::text_of_file(page);
  const common::Picture small = common::scaled_down(common::decode_picture(png, "x.png"), 320);
  CHECK(small.width == 320);
  const std::string shown = base64(common::encode_jpeg(small, 80));
  CHECK(shown.size() < png.size() / 20);
  CHECK(text.find("src=\"data:image/jpeg;base64," + shown + "\"") != std::string::npos);
  const std::string digest = common::digest_of(png).hex();
  CHECK(text.find(", picture images/" + support::image_name(1) + ", SHA-256 " + digest) != std::string::npos);
  CHECK(text.size() < 400'000);
  CHECK(what_of(verify_report({page, {}, {}, &pack})) == "");

  // Another libjpeg's bytes are not compared, and the file that they were made from is.
  edit_page(page, "content=\"" + common::jpeg_library(), "content=\"libjpeg 9");
  edit_page(page, "data:image/jpeg;base64,", "data:image/jpeg;base64,AAAA");
  const ReportCheck other = verify_report({page, {}, {}, &pack});
  CHECK(what_of(other) == "");
  REQUIRE(other.not_compared.size() == 1);
  CHECK(other.not_compared.front().find("libjpeg 9") != std::string::npos);
  edit_page(page, "SHA-256 " + digest, "SHA-256 " + std::string(64, 'a'));
  CHECK(what_of(verify_report({page, {}, {}, &pack})).find("is not what follows") != std::string::npos);
}

TEST_CASE("a page trusts only runs that its reader's key signed") {
  if (!has_gnuplot()) return;
  const support::Scratch scratch;
  const fs::path run = make_run(scratch / "runs", {}), page = scratch / "report.html";
  write_report({run}, page);
  const common::SecretKey key = common::SecretKey::generate();
  support::put_file(scratch / "KEY.pem", key.pem());
  fs::permissions(scratch / "KEY.pem", fs::perms::owner_read | fs::perms::owner_write);
  support::put_file(scratch / "KEY.pub.pem", key.public_key().pem());
  const ReportLocations trusting{page, {}, scratch / "KEY.pub.pem"};
  CHECK(common::kind_of(verify_report(trusting).findings) == common::ErrorKind::signature);
  CHECK_THROWS_AS((void)compare_runs({run}, {.trusted_key = scratch / "KEY.pub.pem"}), common::Error);
  CHECK(sign_run(run, scratch / "KEY.pem").how == common::Signing::written);
  CHECK(sign_run(run, scratch / "KEY.pem").how == common::Signing::was_there);
  CHECK(what_of(verify_report(trusting)) == "");
  CHECK(compare_runs({run}, {.trusted_key = scratch / "KEY.pub.pem"}).runs.size() == 1);
}

TEST_CASE("what a report was told beside its runs stands on the page, which verifies with it") {
  if (!has_gnuplot()) return;
  const support::Scratch scratch;
  const std::vector<fs::path> runs = two_settings(scratch / "runs");
  const fs::path page = scratch / "report.html";
  const CaptionScores scores{read_run(runs.front()).sums_digest.hex(),
                             std::string(condition::k_memorised),
                             {{"spider_<fl>", 0.3125}}};
  write_report(runs, page, {.primary = "no_retention -> full_safe", .caption_scores = {scores}});
  const std::string text = support::text_of_file(page);
  CHECK(text.find("spider_&lt;fl&gt;") != std::string::npos);
  CHECK(text.find("0.3125") != std::string::npos);
  CHECK(text.find("full_safe (primary)") != std::string::npos);
  const ReportCheck check = verify_report({page});
  CHECK(what_of(check) == "");
  REQUIRE(check.not_compared.size() == 1);
  CHECK(check.not_compared.front().find("came from outside") != std::string::npos);
  // Told otherwise, it says otherwise.
  edit_page(page, "no_retention -&gt; full_safe", "full_safe -&gt; no_retention");
  CHECK_FALSE(what_of(verify_report({page})).empty());
}

TEST_CASE("a file that is no report is refused") {
  const support::Scratch scratch;
  support::put_file(scratch / "x.html", "<html>");
  CHECK_THROWS_WITH_AS((void)verify_report({scratch / "x.html", {}}), doctest::Contains("is no report"),
                       common::Error);
}

TEST_CASE("text from data cannot leave a gnuplot string") {
  CHECK(gnuplot_text("KL + Fisher (w 0.1)") == "'KL + Fisher (w 0.1)'");
  CHECK(gnuplot_text("a'; system(\"x\") `y` @m \\n") == "'a; system(x) y m n'");
  CHECK(gnuplot_text(std::string(99, 'x'), 10) == "'xxxxxxx...'");
}
