#include "trainer/report/link.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/media/image.hpp"
#include "trainer/report/examples.hpp"
#include "trainer/report/gnuplot.hpp"
#include "trainer/report/html.hpp"
#include "trainer/report/page.hpp"
#include "trainer/report/report_json.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

constexpr std::uint64_t k_page_limit_bytes = std::uint64_t{256} << 20;
constexpr const char* k_report_meta = "safe-report";
constexpr const char* k_json_meta = "safe-report-json";
constexpr const char* k_run_meta = "safe-run";
constexpr const char* k_media_meta = "safe-report-media";
constexpr const char* k_gnuplot_meta = "safe-report-gnuplot";
constexpr const char* k_jpeg_meta = "safe-report-jpeg";
constexpr const char* k_primary_meta = "safe-report-primary";
constexpr const char* k_scores_meta = "safe-report-caption-scores";
constexpr const char* k_page_meta = "safe-report-page";
constexpr const char* k_format = "4 ";
constexpr std::size_t k_hex_size = 2 * common::Digest::k_size;

std::string meta_line(const std::string& name, const std::string& content) {
  return "<meta name=\"" + name + "\" content=\"" + escape_html(content) + "\">\n";
}

// The contents of every meta line of that name, in order.
std::vector<std::string> meta_contents(const std::string& page, const std::string& name) {
  const std::string begin = "<meta name=\"" + name + "\" content=\"";
  std::vector<std::string> contents;
  for (std::size_t at = 0; (at = page.find(begin, at)) != std::string::npos;) {
    at += begin.size();
    const std::size_t end = page.find('"', at);
    if (end == std::string::npos) break;
    contents.push_back(unescape_html(page.substr(at, end - at)));
  }
  return contents;
}

// Where the page's own digest stands; npos where it has none.
std::size_t own_digest_at(const std::string& page) {
  const std::string begin = fmt::format("<meta name=\"{}\" content=\"", k_page_meta);
  const std::size_t at = page.find(begin);
  if (at == std::string::npos || page.size() < at + begin.size() + k_hex_size) return std::string::npos;
  return at + begin.size();
}

struct RunLink {
  std::string sums_digest, pack_id, path;
};

RunLink parse_run(const std::string& content, const fs::path& page) {
  const std::size_t first = content.find(' '), second = content.find(' ', first + 1);
  if (first == std::string::npos || second == std::string::npos ||
      !common::parse_digest(content.substr(0, first)))
    throw Error(ErrorKind::format, page.string() +
                                       ": a line that names a run is not \"<digest> <pack id> <path>\"; "
                                       "the report was changed, make it again");
  return {content.substr(0, first), content.substr(first + 1, second - first - 1),
          content.substr(second + 1)};
}

fs::path folder_of(const fs::path& page) {
  return page.has_parent_path() ? page.parent_path() : fs::path(".");
}

fs::path find_run(const RunLink& link, const ReportLocations& locations) {
  const fs::path said = link.path;
  return locations.runs ? *locations.runs / said.filename()
                        : (folder_of(locations.page) / said).lexically_normal();
}

// No findings: the run is there, whole, and the one that the page speaks of.
common::Findings check_run(const RunLink& link, const fs::path& run, const ReportLocations& locations) {
  if (!fs::is_directory(run))
    return {{run.string(), "R8", "is not there; name the folder that has the runs with --runs"}};
  const RunCheck check = verify_run(run, locations.trusted_key);
  common::Findings findings = check.findings;
  for (common::Finding& finding : findings) finding.path = (run / finding.path).string();
  if (!findings.empty()) return findings;
  if (check.digest.hex() != link.sums_digest)
    return {{run.string(), "R8",
             "is another run: its SHA256SUMS has the digest " + check.digest.hex() + ", the report's has " +
                 link.sums_digest}};
  const common::Json config = common::read_json(run / "config.json", k_page_limit_bytes);
  const std::string pack_id = common::string_member(config, "pack_id", (run / "config.json").string());
  if (pack_id != link.pack_id)
    return {{run.string(), "R8", "was made from the pack " + pack_id + ", the report says " + link.pack_id}};
  return {};
}

std::string only_content(const std::string& page, const char* name) {
  const std::vector<std::string> contents = meta_contents(page, name);
  return contents.size() == 1 ? contents.front() : "";
}

std::string first_difference(const std::string& found, const std::string& expected) {
  const std::size_t size = std::min(found.size(), expected.size());
  std::size_t at = 0;
  while (at < size && found[at] == expected[at]) ++at;
  constexpr std::size_t shown_before = 30, shown_bytes = 60;
  const std::size_t begin = at < shown_before ? 0 : at - shown_before;
  return fmt::format("line {}: \"{}\" where \"{}\" follows",
                     1 + std::count(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(at), '\n'),
                     found.substr(begin, shown_bytes), expected.substr(begin, shown_bytes));
}

// Another libjpeg may write other bytes of the same picture: those of the page are taken over, and which
// files they were made from is compared all the same.
void keep_pictures_of(const std::string& page, Examples& examples, ReportCheck& check) {
  const std::string jpeg = only_content(page, k_jpeg_meta);
  if (jpeg == common::jpeg_library()) return;
  check.not_compared.push_back("pictures: the page names " + common::escape_for_terminal(jpeg) +
                               ", and this machine has " + common::jpeg_library() +
                               "; the files that they were made from are compared");
  const EmbeddedMedia own = embedded_media(page);
  for (FlipExample& flip : examples.flips)
    if (const auto found = own.images.find(flip.id); found != own.images.end())
      flip.image.url = found->second.url;
}

// `page` has zeros where its own digest belongs.
void compare_page(std::string page, const Comparison& comparison, const std::vector<RunLink>& links,
                  const ReportLocations& locations, ReportCheck& check) {
  const bool has_media = only_content(page, k_media_meta) == "pack";
  Examples examples;
  if (!has_media) {
    examples = choose_examples(comparison, nullptr);
  } else if (locations.pack != nullptr) {
    examples = choose_examples(comparison, locations.pack);
    keep_pictures_of(page, examples, check);
  } else {
    examples = choose_examples(comparison, embedded_media(page));
    check.not_compared.emplace_back(
        "pictures and sounds: they are the pack's; name it with --pack to compare them");
  }
  FigureSource figures{only_content(page, k_gnuplot_meta), draw_svg};
  if (figures.version == k_no_gnuplot)
    figures.draw = draw_nothing;
  else if (const std::optional<std::string> version = gnuplot_version(); version != figures.version) {
    check.not_compared.push_back("figures: the page names " + common::escape_for_terminal(figures.version) +
                                 ", and this machine has " + version.value_or("no gnuplot") +
                                 "; their numbers are in the tables, which are compared");
    figures.draw = frame_svg;
    page = without_drawings(page);
  }
  std::vector<std::string> paths;
  for (const RunLink& link : links) paths.push_back(link.path);
  std::string again =
      write_page({comparison, examples, locations.page, paths, figures, only_content(page, k_jpeg_meta)});
  again.replace(own_digest_at(again), k_hex_size, std::string(k_hex_size, '0'));
  if (again != page)
    check.findings.push_back({locations.page.string(), "R8",
                              "is not what follows from its runs; " + first_difference(page, again)});
}

// What the page was asked to say beside what follows from its runs.
ComparisonOptions options_of(const std::string& page, const ReportLocations& locations, ReportCheck& check) {
  ComparisonOptions options{locations.trusted_key, only_content(page, k_primary_meta), {}};
  const std::string scores = only_content(page, k_scores_meta);
  if (scores.empty()) return options;
  options.caption_scores =
      parse_caption_scores(common::parse_json(scores, locations.page.string()), locations.page.string());
  check.not_compared.emplace_back(
      "scores of captions by another program: they came from outside, and the page's are taken over");
  return options;
}

}  // namespace

std::vector<std::string> run_paths_from(const Comparison& comparison, const fs::path& page) {
  const fs::path folder = fs::weakly_canonical(folder_of(page));
  std::vector<std::string> paths;
  for (const RunSummary& run : comparison.runs)
    paths.push_back(fs::weakly_canonical(run.path).lexically_relative(folder).generic_string());
  return paths;
}

std::string link_lines(const Comparison& comparison, const PageSources& sources) {
  ENSURE(sources.run_paths.size() == comparison.runs.size());
  std::string lines =
      meta_line(k_report_meta, std::string(k_format) + SAFE_VERSION) +
      meta_line(k_json_meta, common::digest_of(common::dump_pretty(to_json(comparison))).hex()) +
      meta_line(k_media_meta, sources.media) + meta_line(k_gnuplot_meta, sources.gnuplot) +
      meta_line(k_jpeg_meta, sources.jpeg);
  if (!comparison.primary.empty()) lines += meta_line(k_primary_meta, comparison.primary);
  if (!comparison.caption_scores.empty())
    lines += meta_line(k_scores_meta, common::dump_line(to_json(comparison.caption_scores)));
  for (std::size_t r = 0; r < comparison.runs.size(); ++r)
    lines += meta_line(k_run_meta, comparison.runs[r].sums_digest.hex() + " " + comparison.runs[r].pack_id +
                                       " " + sources.run_paths[r]);
  return lines + meta_line(k_page_meta, std::string(k_hex_size, '0'));
}

std::string seal_page(std::string page) {
  const std::size_t at = own_digest_at(page);
  ENSURE(at != std::string::npos && page.compare(at, k_hex_size, std::string(k_hex_size, '0')) == 0);
  page.replace(at, k_hex_size, common::digest_of(page).hex());
  return page;
}

ReportCheck verify_report(const ReportLocations& locations) {
  std::string page = common::read_text(locations.page, k_page_limit_bytes);
  const std::vector<std::string> format = meta_contents(page, k_report_meta),
                                 runs = meta_contents(page, k_run_meta),
                                 json = meta_contents(page, k_json_meta);
  const std::size_t at = own_digest_at(page);
  if (format.size() != 1 || runs.empty() || json.size() != 1 || at == std::string::npos)
    throw Error(
        ErrorKind::format,
        locations.page.string() + " is no report of safe-trainer; name a report.html or a run directory");
  ReportCheck check;
  check.page_digest = common::digest_of(page);
  const auto find = [&](const fs::path& path, const std::string& what) {
    check.findings.push_back({path.string(), "R8", what});
  };
  const std::string own = page.substr(at, k_hex_size);
  page.replace(at, k_hex_size, std::string(k_hex_size, '0'));
  if (common::digest_of(page).hex() != own) find(locations.page, "has changed since it was written");
  std::vector<RunLink> links;
  std::vector<fs::path> folders;
  std::set<std::string> pack_ids;
  for (const std::string& content : runs) {
    links.push_back(parse_run(content, locations.page));
    folders.push_back(find_run(links.back(), locations));
    pack_ids.insert(links.back().pack_id);
    for (common::Finding& finding : check_run(links.back(), folders.back(), locations))
      check.findings.push_back(std::move(finding));
  }
  check.pack_ids.assign(pack_ids.begin(), pack_ids.end());
  if (locations.pack != nullptr)
    for (const std::string& id : check.pack_ids)
      if (id != locations.pack->id().hex())
        find(locations.pack->location(), "is the pack " + locations.pack->id().hex() + ", not " + id);
  if (!check.findings.empty()) return check;
  if (format.front() != std::string(k_format) + SAFE_VERSION) {
    find(locations.page, "has the form and version " + format.front() + ", and this program writes " +
                             k_format + SAFE_VERSION + "; check it with the program that made it");
    return check;
  }
  Comparison comparison;
  try {
    comparison = compare_runs(folders, options_of(page, locations, check));
  } catch (const Error& error) {
    find(locations.page, std::string("names what its runs do not give: ") + error.what());
    return check;
  }
  const std::string again = common::dump_pretty(to_json(comparison));
  if (common::digest_of(again).hex() != json.front())
    find(locations.page, "says other numbers than follow from its runs");
  const fs::path beside = fs::path(locations.page).replace_extension(".json");
  if (fs::exists(beside) && common::read_text(beside, k_page_limit_bytes) != again)
    find(beside, "says other numbers than follow from the runs");
  if (check.findings.empty()) compare_page(page, comparison, links, locations, check);
  return check;
}

}  // namespace trainer
