#include "trainer/report/comparison.hpp"

#include <cmath>

#include "common/error.hpp"
#include "common/file.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_run.hpp"
#include "trainer/report/markdown.hpp"
#include "trainer/report/report_json.hpp"
#include "trainer/report/text.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::make_run;
namespace fs = std::filesystem;

namespace {

common::Json mechanisms(double kl, double fisher, const common::Json& null_space = nullptr) {
  return {{"retention",
           {{"kl", {{"title", "KL"}, {"weight", kl}}},
            {"fisher", {{"title", "Fisher"}, {"weight", fisher}}},
            {"null_space", null_space}}}};
}

std::vector<std::string> labels_of(const Comparison& comparison) {
  std::vector<std::string> labels;
  for (const VariantGroup& group : comparison.groups) labels.push_back(group.label);
  return labels;
}

using Labels = std::vector<std::string>;

}  // namespace

TEST_CASE("two settings are compared over the same questions") {
  const support::Scratch scratch;
  const fs::path first = make_run(scratch.path(), {.scores = {1, 0, 0, 0}});
  const fs::path second = make_run(scratch.path(), {.variant = "full_safe", .scores = {1, 1, 1, 0.3}});
  const Comparison comparison = compare_runs({first, second});
  REQUIRE(comparison.paired.size() == 1);
  const PairedComparison& pair = comparison.paired.front();
  CHECK(pair.first == "no_retention");
  CHECK(pair.second == "full_safe");
  CHECK(pair.items == 4);
  CHECK(pair.seeds == std::vector<std::int64_t>{42});
  CHECK(pair.only_first_right == 0);
  CHECK(pair.only_second_right == 2);
  CHECK(pair.cohens_g == 0.5);
  CHECK(pair.p == 0.5);
  CHECK(pair.holm_p == 0.5);
  CHECK(pair.accuracy_bootstrap.has_value());
  CHECK(pair.accuracy.value == doctest::Approx(2.3 / 4));
  CHECK(pair.accuracy.interval.low < 2.3 / 4);
  CHECK(pair.accuracy.interval.high > 2.3 / 4);
  CHECK(pair.negative_flips->value == doctest::Approx(-0.5));
  CHECK_FALSE(pair.kl_ratio.has_value());
  CHECK(comparison.warnings.empty());
  const std::string text = to_text(comparison);
  for (const char* part : {"seeds  42", "\n  no_retention ", "no_retention → full_safe ", "75.0", "25.0 [",
                           "0.333 [", "+57.5 ["}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(text.find(std::string(64, 'a')) != std::string::npos);
  CHECK(text.find("warning") == std::string::npos);
}

TEST_CASE("runs that differ in the seed alone are one setting, paired seed by seed") {
  const support::Scratch scratch;
  std::vector<fs::path> runs;
  for (const int seed : {44, 42, 43}) {
    runs.push_back(
        make_run(scratch.path(), {.scores = {1, 0, 0, 0, 0}, .kl = 0.4 + 0.1 * (seed - 43), .seed = seed}));
    runs.push_back(make_run(
        scratch.path(), {.variant = "soft_retention", .scores = {1, 1, 1, 0, 0}, .kl = 0.1, .seed = seed}));
  }
  const Comparison comparison = compare_runs(runs);
  CHECK(labels_of(comparison) == Labels{"no_retention", "soft_retention"});
  CHECK(seeds_of(comparison, comparison.groups[0]) == std::vector<std::int64_t>{42, 43, 44});
  const Estimate* kl =
      find_estimate(comparison.groups[0], condition::k_distractor_memorised, measure::k_kl_to_base);
  REQUIRE(kl != nullptr);
  CHECK(kl->value == doctest::Approx(0.4));
  CHECK(kl->seeds[0] == doctest::Approx(0.3));
  // Three seeds 0.3, 0.4, 0.5 and no difference between items: Student's t with two degrees, 4.303.
  CHECK(kl->interval.high == doctest::Approx(0.4 + 4.303 * 0.1 / std::sqrt(3.0)).epsilon(0.05));
  REQUIRE(comparison.paired.size() == 1);
  const PairedComparison& pair = comparison.paired.front();
  CHECK(pair.seeds == std::vector<std::int64_t>{42, 43, 44});
  CHECK(pair.mcnemar_p == std::vector<double>{0.5, 0.5, 0.5});
  CHECK(pair.p == pair.accuracy.p);
  CHECK_FALSE(pair.accuracy_bootstrap.has_value());
  CHECK(pair.only_second_right == 6);
  CHECK(pair.kl_ratio->value == doctest::Approx(std::cbrt(0.3 * 0.4 * 0.5) / 0.1));
  CHECK(to_text(comparison).find("seeds  42, 43, 44") != std::string::npos);
}

TEST_CASE("p is corrected for the comparisons of a report, but for the one that was chosen before the runs") {
  const support::Scratch scratch;
  std::vector<double> wrong(40, 0), right(40, 1);
  const std::vector<fs::path> runs = {
      make_run(scratch.path(), {.scores = wrong}),
      make_run(scratch.path(), {.variant = "soft_retention", .scores = right}),
      make_run(scratch.path(), {.variant = "full_safe", .scores = right})};
  const Comparison comparison = compare_runs(runs);
  REQUIRE(comparison.paired.size() == 2);
  for (const PairedComparison& pair : comparison.paired) {
    CHECK(pair.p == doctest::Approx(std::exp2(-39)));
    CHECK(pair.holm_p == doctest::Approx(std::exp2(-38)));
    CHECK_FALSE(pair.is_primary);
  }
  for (const std::string contrast : {"no_retention -> full_safe", "no_retention  →full_safe"}) {
    const Comparison chosen = compare_runs(runs, {.primary = contrast});
    for (const PairedComparison& pair : chosen.paired) {
      CHECK(pair.is_primary == (pair.second == "full_safe"));
      CHECK(pair.holm_p == doctest::Approx(std::exp2(-39)));  // one is left to correct for
    }
    CHECK(to_text(chosen).find("no_retention → full_safe (primary)") != std::string::npos);
  }
  CHECK_THROWS_WITH_AS((void)compare_runs(runs, {.primary = "soft_retention -> fullsafe"}),
                       doctest::Contains("no_retention -> full_safe"), common::Error);
}

TEST_CASE("a setting is named by what is switched on, and by what else differs") {
  const support::Scratch scratch;
  const auto run = [&](const std::string& variant, const common::Json& config) {
    return make_run(scratch.path(), {.variant = variant, .more_config = config});
  };
  const common::Json gate = {{"placement", "gate"}};
  const Comparison comparison =
      compare_runs({run("no_retention", mechanisms(0, 0)), run("soft_retention", mechanisms(0.1, 1)),
                    run("soft_retention", mechanisms(0.3, 1)), run("no_retention", mechanisms(0, 0, gate)),
                    run("full_safe", mechanisms(0.1, 1, gate)), run("full_safe", mechanisms(0.1, 0, gate))});
  CHECK(labels_of(comparison) == Labels{"no_retention", "soft_retention (kl.weight 0.1)",
                                        "soft_retention (kl.weight 0.3)", "null space", "full_safe",
                                        "KL + null space"});
  // All against no_retention, each against those to which it adds one mechanism, and the next weight.
  Labels pairs;
  for (const PairedComparison& pair : comparison.paired)
    if (pair.first != "no_retention") pairs.push_back(pair.first + " → " + pair.second);
  CHECK(pairs == Labels{"soft_retention (kl.weight 0.1) → soft_retention (kl.weight 0.3)",
                        "soft_retention (kl.weight 0.1) → full_safe", "KL + null space → full_safe",
                        "null space → KL + null space"});
  CHECK(comparison.paired.size() == 5 + pairs.size());
}

TEST_CASE("of numbers that were tried each is compared with the next, all questions being the most") {
  const support::Scratch scratch;
  std::vector<fs::path> runs;
  for (const int questions : {0, 128, 16, 32}) {  // 0: all
    common::Json config = mechanisms(0.1, 1);
    config["retention"]["questions"] = questions;
    config["null_space_min_samples"] = questions + 1;  // says nothing of what was trained
    runs.push_back(make_run(scratch.path(), {.variant = "soft_retention", .more_config = config}));
  }
  common::Json two = mechanisms(0.3, 1);  // differs from all others in two numbers
  two["retention"]["questions"] = 64;
  runs.push_back(make_run(scratch.path(), {.variant = "soft_retention", .more_config = two}));
  const Comparison comparison = compare_runs(runs);
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
  const auto questions_in = [&](const std::string& label) {
    for (const VariantGroup& group : comparison.groups)
      if (group.label == label)
        return comparison.runs[group.runs.front()].config.at("retention").at("questions").get<std::int64_t>();
    return std::int64_t{-1};
  };
  for (const PairedComparison& pair : comparison.paired)
    if (questions_in(pair.first) != 0)
      pairs.emplace_back(questions_in(pair.first), questions_in(pair.second));
  std::sort(pairs.begin(), pairs.end());
  // Against the first that was named, all questions, every one is compared anyway.
  CHECK(pairs == std::vector<std::pair<std::int64_t, std::int64_t>>{{16, 32}, {32, 128}, {128, 0}});
}

TEST_CASE("tests of one seed and of several are corrected apart") {
  const support::Scratch scratch;
  const std::vector<double> wrong(40, 0), right(40, 1);
  std::vector<fs::path> runs;
  for (const int seed : {42, 43}) {
    runs.push_back(make_run(scratch.path(), {.scores = wrong, .seed = seed}));
    runs.push_back(make_run(scratch.path(), {.variant = "soft_retention", .scores = right, .seed = seed}));
  }
  runs.push_back(make_run(scratch.path(), {.variant = "full_safe", .scores = right}));
  const Comparison comparison = compare_runs(runs);
  REQUIRE(comparison.paired.size() == 2);
  for (const PairedComparison& pair : comparison.paired) CHECK(pair.holm_p == pair.p);
}

TEST_CASE(
    "runs on different numbers of retention questions are never pooled, nor compared as one mechanism more") {
  const support::Scratch scratch;
  const auto run = [&](const std::string& variant, common::Json config, int questions, int seed) {
    config["retention"]["questions"] = questions;
    return make_run(scratch.path(), {.variant = variant, .more_config = config, .seed = seed});
  };
  const common::Json soft = mechanisms(0.1, 1), full = mechanisms(0.1, 1, {{"placement", "gate"}});
  const Comparison comparison =
      compare_runs({run("soft_retention", soft, 32, 42), run("soft_retention", soft, 600, 43),
                    run("full_safe", full, 32, 42)});
  CHECK(labels_of(comparison) ==
        Labels{"soft_retention (questions 32)", "soft_retention (questions 600)", "full_safe"});
  Labels pairs;
  for (const PairedComparison& pair : comparison.paired) pairs.push_back(pair.first + " → " + pair.second);
  CHECK(pairs == Labels{"soft_retention (questions 32) → full_safe"});
}

TEST_CASE("a mechanism that this program does not know is a row by its title, with what it measured") {
  const support::Scratch scratch;
  common::Json config = mechanisms(0, 0);
  config["retention"]["some_other"] = {{"title", "Some other"}, {"strength", 2}};
  const Comparison comparison = compare_runs({make_run(scratch.path(), {.more_config = mechanisms(0, 0)}),
                                              make_run(scratch.path(), {.more_config = config})});
  CHECK(labels_of(comparison) == Labels{"no_retention", "Some other"});
  CHECK(comparison.paired.size() == 1);
}

TEST_CASE("what was found in a cache, and when a run was resumed, make no other setting") {
  const support::Scratch scratch;
  const auto facts = [](int used, const common::Json& resumed) {
    return common::Json{{"feature_cache", {{"used", used}, {"computed", 9 - used}}},
                        {"resumed_at_steps", resumed}};
  };
  const Comparison comparison =
      compare_runs({make_run(scratch.path(), {.more_config = facts(0, common::Json::array()), .seed = 42}),
                    make_run(scratch.path(), {.more_config = facts(9, {40, 60}), .seed = 43})});
  CHECK(comparison.groups.size() == 1);
}

TEST_CASE("a seed that is there twice is no further evidence") {
  const support::Scratch scratch;
  const fs::path first = make_run(scratch.path(), {}), again = make_run(scratch.path(), {});
  const Comparison comparison = compare_runs({first, again});
  REQUIRE(comparison.groups.size() == 2);
  CHECK(comparison.groups[0].label == "no_retention [" + first.filename().string() + "]");
  CHECK(comparison.groups[1].label == "no_retention [" + again.filename().string() + "]");
}

TEST_CASE("settings without a seed in common are not compared, and the table says so") {
  const support::Scratch scratch;
  const Comparison comparison = compare_runs(
      {make_run(scratch.path(), {}), make_run(scratch.path(), {.variant = "full_safe", .seed = 43})});
  CHECK(comparison.paired.empty());
  REQUIRE(comparison.warnings.size() == 1);
  CHECK(comparison.warnings[0].find("no seed in common") != std::string::npos);
}

TEST_CASE("audio skill is compared over the same clips") {
  const support::Scratch scratch;
  const Comparison comparison =
      compare_runs({make_run(scratch.path(), {.token_f1 = {1, 0.5, 0.25}}),
                    make_run(scratch.path(), {.variant = "full_safe", .token_f1 = {1, 1, 0}})});
  REQUIRE(comparison.clips.size() == 1);
  CHECK(comparison.clips[0].token_f1.value == doctest::Approx(0.25 / 3));
  CHECK(find_estimate(comparison.groups[0], condition::k_memorised, measure::k_exact_match)->value ==
        doctest::Approx(1.0 / 3));
}

TEST_CASE("clips that are scored by VQA accuracy have it as an estimate, and no token F1 to be compared") {
  const support::Scratch scratch;
  const auto run = [&](const char* variant) {
    return make_run(scratch.path(),
                    {.variant = variant, .token_f1 = {1, 0}, .clip_scorer = manifest::Scorer::vqa_accuracy});
  };
  const Comparison comparison = compare_runs({run("no_retention"), run("full_safe")});
  CHECK(comparison.clips.empty());
  const VariantGroup& group = comparison.groups.at(0);
  CHECK(find_estimate(group, condition::k_memorised, measure::k_accuracy)->value == 0.5);
  CHECK(find_estimate(group, condition::k_memorised, measure::k_token_f1) == nullptr);
}

TEST_CASE("report.json names the bytes of every run and holds no path") {
  const support::Scratch scratch;
  const fs::path run = make_run(scratch.path(), {});
  const common::Json report = to_json(compare_runs({run}));
  CHECK(report["runs"][0]["sums_sha256"] == common::digest_file(run / common::k_seal_name).digest.hex());
  CHECK(report["runs"][0]["metrics"]["validation"]["vl_base_accuracy"] == 0.75);
  CHECK(report["groups"][0]["estimates"]["distractor_memorised"]["accuracy"]["value"] == 0.5);
  CHECK(report["paired"].empty());
  CHECK(common::dump_line(report).find(scratch.path().string()) == std::string::npos);
}

TEST_CASE("Markdown holds the command, the tables and the digests, and data cannot end a cell") {
  const support::Scratch scratch;
  const fs::path run = make_run(scratch.path(), {.more_config = {{"note", "a|b"}}});
  const fs::path other = make_run(scratch.path(), {.more_config = {{"note", "c"}}, .seed = 43});
  const std::string text =
      to_markdown(compare_runs({run, other}), "safe-trainer report x --markdown RESULTS.md");
  for (const std::string& part :
       {std::string("safe-trainer report x --markdown RESULTS.md"),
        std::string("| no_retention (note a\\|b) | 1 |"),
        common::digest_file(run / common::k_seal_name).digest.hex(), std::string("95 % intervals")}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("nothing of a run becomes markup, a link or a control code in Markdown and text") {
  const support::Scratch scratch;
  const std::string note =
      "<script>x</script> [a](javascript:b) ![c][d] http://e www.f `g` \x1b[31m \xe2\x80\xae|\n# h";
  const fs::path run = make_run(scratch.path(), {.more_config = {{"note", note}}});
  const fs::path other = make_run(scratch.path(), {.more_config = {{"note", "c"}}, .seed = 43});
  const Comparison comparison = compare_runs({run, other});
  const std::string markdown = to_markdown(comparison, "safe-report report a\nb"), text = to_text(comparison);
  for (const std::string& bad :
       {std::string("<script"), std::string("[a]("), std::string("[c]["), std::string("http:/"),
        std::string("www.f"), std::string(" `g`"), std::string("\n# h"), std::string("a\nb"),
        std::string("\x1b"), std::string("\xe2\x80\xae")}) {
    CAPTURE(bad);
    CHECK(markdown.find(bad) == std::string::npos);
  }
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("\xe2\x80\xae") == std::string::npos);
}

TEST_CASE("a run whose pack or base is not named by a digest is refused") {
  const support::Scratch scratch;
  for (const std::string& id : {std::string("<script>"), std::string(63, 'a'), std::string(64, 'A')}) {
    CAPTURE(id);
    const fs::path root = scratch / std::to_string(id.size() + static_cast<unsigned char>(id[0]));
    CHECK_THROWS_WITH_AS((void)read_run(make_run(root / "pack", {.pack_id = id})),
                         doctest::Contains("pack_id is no SHA-256"), common::Error);
    CHECK_THROWS_WITH_AS((void)read_run(make_run(root / "base", {.base_digest = id})),
                         doctest::Contains("base_digest is no SHA-256"), common::Error);
  }
}

TEST_CASE("a run with one changed byte is refused by name") {
  const support::Scratch scratch;
  const fs::path good = make_run(scratch.path(), {});
  const fs::path bad = make_run(scratch.path(), {.variant = "full_safe"});
  std::string metrics = support::text_of_file(bad / "metrics.json");
  metrics.back() ^= 1;
  support::put_file(bad / "metrics.json", metrics);
  try {
    (void)compare_runs({good, bad});
    FAIL("it was read");
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::mismatch);
    CHECK(std::string(error.what()).find("F2 metrics.json: has SHA-256") != std::string::npos);
  }
}

TEST_CASE("runs of different packs are never paired, and the table says so") {
  const support::Scratch scratch;
  const Comparison comparison =
      compare_runs({make_run(scratch.path(), {}),
                    make_run(scratch.path(), {.variant = "x", .pack_id = std::string(64, 'c')})});
  CHECK(comparison.paired.empty());
  REQUIRE(comparison.warnings.size() == 1);
  CHECK(comparison.warnings[0].find("different packs") != std::string::npos);
}

TEST_CASE("a run that differs from its base without audio, or whose mechanism never acted, is warned of") {
  const support::Scratch scratch;
  const Comparison comparison = compare_runs({make_run(scratch.path(), {.bit_equal = false})});
  CHECK(comparison.warnings.size() == 2);
  CHECK(to_text(comparison).find("never acted") != std::string::npos);
}

TEST_CASE("the same run twice, and no run at all, are refused") {
  const support::Scratch scratch;
  const fs::path run = make_run(scratch.path(), {});
  CHECK_THROWS_AS((void)compare_runs({run, run}), common::Error);
  CHECK_THROWS_AS((void)compare_runs({}), common::Error);
  CHECK_THROWS_AS((void)compare_runs({scratch / "nothing"}), common::Error);
}
