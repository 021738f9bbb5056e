#include "trainer/report/link.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/error.hpp"
#include "common/file.hpp"
#include "trainer/report/html.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

constexpr std::uint64_t k_page_limit_bytes = std::uint64_t{256} << 20;
constexpr const char* k_report_meta = "safe-report";
constexpr const char* k_json_meta = "safe-report-json";
constexpr const char* k_run_meta = "safe-run";
constexpr const char* k_page_meta = "safe-report-page";
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

}  // namespace

std::string link_lines(const Comparison& comparison, const fs::path& page) {
  const fs::path folder = fs::weakly_canonical(folder_of(page));
  std::string lines =
      meta_line(k_report_meta, std::string("1 ") + SAFE_VERSION) +
      meta_line(k_json_meta, common::digest_of(common::dump_pretty(to_json(comparison))).hex());
  for (const RunSummary& run : comparison.runs)
    lines +=
        meta_line(k_run_meta, run.sums_digest.hex() + " " + run.pack_id + " " +
                                  fs::weakly_canonical(run.path).lexically_relative(folder).generic_string());
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
  const std::string own = page.substr(at, k_hex_size);
  page.replace(at, k_hex_size, std::string(k_hex_size, '0'));
  if (common::digest_of(page).hex() != own)
    check.findings.push_back({locations.page.string(), "R8", "has changed since it was written"});
  std::vector<fs::path> folders;
  std::set<std::string> pack_ids;
  for (const std::string& content : runs) {
    const RunLink link = parse_run(content, locations.page);
    folders.push_back(find_run(link, locations));
    pack_ids.insert(link.pack_id);
    for (common::Finding& finding : check_run(link, folders.back(), locations))
      check.findings.push_back(std::move(finding));
  }
  check.pack_ids.assign(pack_ids.begin(), pack_ids.end());
  // Another version may write report.json in another way; the runs are checked all the same.
  if (!check.findings.empty() || format.front() != std::string("1 ") + SAFE_VERSION) return check;
  const std::string again = common::dump_pretty(to_json(compare_runs(folders)));
  if (common::digest_of(again).hex() != json.front())
    check.findings.push_back({locations.page.string(), "R8", "says other numbers than follow from its runs"});
  const fs::path beside = fs::path(locations.page).replace_extension(".json");
  if (fs::exists(beside) && common::read_text(beside, k_page_limit_bytes) != again)
    check.findings.push_back({beside.string(), "R8", "says other numbers than follow from the runs"});
  return check;
}

}  // namespace trainer
