#include "packer/check/join_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/json_object.hpp"
#include "common/sealed/finding_limit.hpp"

namespace packer {
namespace {

using common::Error;
using common::ErrorKind;
using common::JsonMember;
using common::JsonObject;
using common::JsonStream;

constexpr JsonMember k_report_members[] = {{"path"},
                                           {"id"},
                                           {"verified"},
                                           {"mode"},
                                           {"part"},
                                           {"parts"},
                                           {"signature"},
                                           {"files"},
                                           {"bytes"},
                                           {"findings"},
                                           common::optional_member("read_at"),
                                           common::optional_member("remedy")};
constexpr JsonMember k_finding_members[] = {{"rule"}, {"path"}, {"what"}};
constexpr JsonMember k_place_members[] = {{"host"}, {"path"}, {"file"}, {"written"}};

// Of every rule there are up to k_finding_limit.
constexpr common::JsonListLimit k_findings_limit{64 * common::k_finding_limit};
constexpr std::uint64_t k_report_limit_bytes = std::uint64_t{256} << 20;

common::Finding read_finding(JsonStream& stream, const std::string& where) {
  common::Finding finding;
  JsonObject object(stream, where + ": a finding", k_finding_members);
  while (object.next()) {
    if (object.is("rule")) finding.rule = object.string();
    if (object.is("path")) finding.path = object.string();
    if (object.is("what")) finding.what = object.string();
  }
  return finding;
}

Place read_place(JsonStream& stream, const std::string& where) {
  Place place;
  JsonObject object(stream, where + ": read_at", k_place_members);
  while (object.next()) {
    if (object.is("host")) place.host = object.string();
    if (object.is("path")) place.path = object.string();
    if (object.is("file")) place.file = object.string();
    if (object.is("written")) place.written = object.string();
  }
  return place;
}

PartReport parse_part_report(std::string_view text, const std::filesystem::path& file) {
  PartReport report;
  report.file = file;
  JsonStream stream(text, file.string());
  JsonObject object(stream, file.string(), k_report_members);
  while (object.next()) {
    if (object.is("id")) {
      if (!object.is_null()) report.id = object.digest();
    } else if (object.is("part")) {
      report.part.number = object.count();
    } else if (object.is("parts")) {
      report.part.count = object.count();
    } else if (object.is("files")) {
      report.files = object.count();
    } else if (object.is("bytes")) {
      report.bytes = object.count();
    } else if (object.is("findings")) {
      object.list(k_findings_limit, [&] { report.findings.push_back(read_finding(stream, file.string())); });
    } else if (object.is("read_at")) {
      report.read_at = read_place(stream, file.string());
    } else {
      stream.pass();
    }
  }
  stream.finish();
  if (report.part.number < 1 || report.part.number > report.part.count || report.part.count > k_part_limit)
    throw Error(ErrorKind::format, file.string() + ": there is no part " + describe(report.part));
  return report;
}

std::string command_for(const std::filesystem::path& pack, Part part) {
  return "safe-packer verify " + pack.string() + " --part " + describe(part) + " --json";
}

constexpr std::size_t k_named_limit = 20;

// What is missing, which files should have been it, and what makes each.
[[noreturn]] void refuse_missing(const std::filesystem::path& pack, const std::vector<Part>& missing,
                                 std::size_t there, const std::vector<UnreadPart>& unread) {
  const std::size_t named = std::min(missing.size(), k_named_limit);
  std::string names, commands;
  for (std::size_t i = 0; i < named; ++i) {
    names += (i == 0 ? "" : ", ") + describe(missing[i]);
    commands += "\n  " + command_for(pack, missing[i]);
    if (missing.size() == 1 && unread.size() == 1) commands += " > " + unread.front().file.string();
  }
  if (named < missing.size()) names += fmt::format(" and {} more", missing.size() - named);
  std::string message = fmt::format("part{} {} {} missing, and {} of {} {} there",
                                    missing.size() == 1 ? "" : "s", names, missing.size() == 1 ? "is" : "are",
                                    there, missing.front().count, there == 1 ? "is" : "are");
  for (std::size_t i = 0; i < std::min(unread.size(), k_named_limit); ++i)
    message += "\n  " + unread[i].file.string() + " " + unread[i].why;
  throw Error(ErrorKind::io, message + "\nmake what is missing, and join again:" + commands);
}

[[noreturn]] void refuse_no_report(const std::filesystem::path& pack, const std::vector<UnreadPart>& unread) {
  if (unread.empty())
    throw Error(ErrorKind::usage, "--join needs the reports of all parts; name their files or their folder");
  std::string message = "no report of a part can be read, so all are missing";
  for (std::size_t i = 0; i < std::min(unread.size(), k_named_limit); ++i)
    message += "\n  " + unread[i].file.string() + " " + unread[i].why;
  throw Error(ErrorKind::io, message + "\nmake each of the N parts, and join again:\n  safe-packer verify " +
                                 pack.string() + " --part I/N --json > PART.json");
}

// By number, each once and all there.
std::map<std::uint64_t, const PartReport*> in_order(const std::filesystem::path& pack,
                                                    const PartReports& reports) {
  const std::vector<PartReport>& parts = reports.read;
  if (parts.empty()) refuse_no_report(pack, reports.unread);
  const std::uint64_t count = parts.front().part.count;
  std::map<std::uint64_t, const PartReport*> ordered;
  for (const PartReport& report : parts) {
    if (report.part.count != count)
      throw Error(ErrorKind::usage, fmt::format("{} is part {} and {} is part {}; join parts of one whole",
                                                parts.front().file.string(), describe(parts.front().part),
                                                report.file.string(), describe(report.part)));
    const auto [at, is_new] = ordered.emplace(report.part.number, &report);
    if (!is_new)
      throw Error(ErrorKind::usage,
                  fmt::format("{} and {} are both part {}; name each part once", at->second->file.string(),
                              report.file.string(), describe(report.part)));
  }
  std::vector<Part> missing;
  for (std::uint64_t number = 1; number <= count; ++number)
    if (ordered.count(number) == 0) missing.push_back({number, count});
  if (!missing.empty()) refuse_missing(pack, missing, ordered.size(), reports.unread);
  return ordered;
}

void check_same_pack(const std::filesystem::path& pack, const PartReport& report,
                     const std::optional<common::Digest>& id) {
  if (report.id == id) return;
  const auto name = [](const std::optional<common::Digest>& one) {
    return one ? one->hex() : std::string("a pack without a readable seal");
  };
  throw Error(ErrorKind::mismatch,
              fmt::format("{} is of {}, and {} is {}; verify that part again: {}", report.file.string(),
                          name(report.id), pack.string(), name(id), command_for(pack, report.part)));
}

// Two of the same pack cut it alike; a report that was changed by hand, or made by another version, may not.
void check_share(const std::filesystem::path& pack, const PartReport& report,
                 const std::vector<PackFile>& files) {
  const Share share = share_of(files, report.part);
  if (share.files == report.files && share.bytes == report.bytes) return;
  throw Error(
      ErrorKind::mismatch,
      fmt::format(
          "{} covers {} files of {} bytes, and part {} of {} has {} files of {} bytes; verify that part "
          "again: {}",
          report.file.string(), report.files, report.bytes, describe(report.part), pack.string(), share.files,
          share.bytes, command_for(pack, report.part)));
}

// A copy has the same id, and other bytes where it is damaged.
void check_same_copy(const std::filesystem::path& pack, const PartReport& report, const PartRead& read) {
  if (read.same_copy != SameCopy::no) return;
  throw Error(
      ErrorKind::mismatch,
      fmt::format("{} was read at {}, which is not the copy at {}, or not as it was then; verify that "
                  "part again: {}",
                  report.file.string(), describe(read.place), pack.string(), command_for(pack, report.part)));
}

// Nothing where it cannot be read as such a report.
std::optional<PartReport> read_part_report(const std::filesystem::path& file, std::string& why) {
  try {
    const common::Bytes bytes = common::read_file(file, k_report_limit_bytes);
    if (!bytes.empty()) return parse_part_report(common::text_of(bytes), file);
    why = "is empty, as a task leaves it that was killed";
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::format && error.kind() != ErrorKind::io) throw;
    why = error.kind() == ErrorKind::io ? std::string("cannot be read: ") + error.what()
                                        : "is truncated, or not what verify --part --json prints";
  }
  return std::nullopt;
}

}  // namespace

PartReports read_part_reports(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::filesystem::path> files;
  for (const std::filesystem::path& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    const auto first = static_cast<std::ptrdiff_t>(files.size());
    for (const auto& entry : std::filesystem::directory_iterator(path))
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    std::sort(files.begin() + first, files.end());
  }
  PartReports reports;
  for (const std::filesystem::path& file : files) {
    std::string why;
    if (auto report = read_part_report(file, why))
      reports.read.push_back(*std::move(report));
    else
      reports.unread.push_back({file, std::move(why)});
  }
  return reports;
}

Report join_parts(const std::filesystem::path& pack, const PartReports& parts,
                  const ExamineRequest& request) {
  const auto ordered = in_order(pack, parts);
  ExamineRequest quick = request;
  quick.depth = Depth::quick;
  Report report = verify(pack, quick);
  // Without the trusted signature nothing of the pack was read, and it is refused whatever the parts say.
  if (report.signature == SignatureState::refused) return report;
  const Place here = place_of(pack);
  for (const auto& [number, part] : ordered) {
    check_same_pack(pack, *part, report.id);
    report.parts_read.push_back({part->part, part->read_at, is_same_copy(part->read_at, here)});
    check_same_copy(pack, *part, report.parts_read.back());
    check_share(pack, *part, report.contents);
    report.findings.insert(report.findings.end(), part->findings.begin(), part->findings.end());
  }
  common::sort_findings(report.findings);
  common::limit_findings(report.findings);
  report.depth = Depth::full;
  return report;
}

}  // namespace packer
