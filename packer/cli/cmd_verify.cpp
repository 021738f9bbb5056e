#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "common/cli/print_json.hpp"
#include "common/error.hpp"
#include "common/json.hpp"
#include "common/terminal.hpp"
#include "packer/check/join_parts.hpp"
#include "packer/check/sign.hpp"
#include "packer/check/verify.hpp"
#include "packer/cli/commands.hpp"

namespace packer {
namespace {

using common::Json;

const char* name_of(SignatureState state) {
  switch (state) {
    case SignatureState::absent:
      return "absent";
    case SignatureState::not_checked:
      return "not checked";
    case SignatureState::good:
      return "good";
    case SignatureState::refused:
      return "refused";
  }
  return "";
}

const char* name_of(SameCopy same) {
  switch (same) {
    case SameCopy::yes:
      return "yes";
    case SameCopy::no:
      return "no";
    case SameCopy::unknown:
      return "unknown";
  }
  return "";
}

Json to_json(const Report& report, const std::string& path) {
  Json findings = Json::array();
  for (const common::Finding& finding : report.findings)
    findings.push_back({{"rule", finding.rule}, {"path", finding.path}, {"what", finding.what}});
  Json root{{"path", path}, {"id", report.id ? Json(report.id->hex()) : Json(nullptr)}};
  root["verified"] = is_verified(report);
  root["mode"] = report.part ? "part" : report.depth == Depth::full ? "full" : "quick";
  if (report.part) {
    root["part"] = report.part->number;
    root["parts"] = report.part->count;
    root["read_at"] = {{"host", report.place.host},
                       {"path", report.place.path.string()},
                       {"file", report.place.file},
                       {"written", report.place.written}};
  }
  for (const PartRead& read : report.parts_read)
    root["parts_read"].push_back({{"part", read.part.number},
                                  {"host", read.place.host},
                                  {"path", read.place.path.string()},
                                  {"same_copy", name_of(read.same_copy)}});
  root["signature"] = name_of(report.signature);
  root["files"] = report.files;
  root["bytes"] = report.bytes;
  root["findings"] = std::move(findings);
  if (!report.findings.empty()) root["remedy"] = remedy_for(path, report.findings);
  return root;
}

void print_findings(const Report& report, const std::string& path) {
  common::print_line(stderr, fmt::format("safe-packer: {} does not verify: {} finding{}", path,
                                         report.findings.size(), report.findings.size() == 1 ? "" : "s"));
  for (const common::Finding& finding : report.findings) common::print_line(stderr, "  " + describe(finding));
  common::print_line(stderr, remedy_for(path, report.findings));
}

void print_good_part(const Report& report) {
  common::print_line(
      stderr,
      fmt::format("NOT VERIFIED: part {} of the media, {} files, {:.1f} MB, is right; join all parts: "
                  "--part {} --json > PART.json, then verify PACK --join PART.json...",
                  describe(*report.part), report.files, static_cast<double>(report.bytes) / 1e6,
                  describe(*report.part)));
}

// "1/3, 2/3 at node1:/data/pack": one for each place.
std::vector<std::string> describe(const std::vector<PartRead>& parts) {
  std::vector<std::pair<std::string, std::string>> places;  // each with its parts
  for (const PartRead& read : parts) {
    const std::string place = describe(read.place);
    const auto at =
        std::find_if(places.begin(), places.end(), [&](const auto& one) { return one.first == place; });
    if (at == places.end())
      places.emplace_back(place, describe(read.part));
    else
      at->second += ", " + describe(read.part);
  }
  std::vector<std::string> lines;
  for (const auto& [place, names] : places) lines.push_back(names + " at " + place);
  return lines;
}

void print_parts_read(const Report& report) {
  for (const std::string& line : describe(report.parts_read))
    common::print_line(stderr, "read: part " + common::escape_for_terminal(line));
}

// It may be the same, and cannot be told.
void print_other_copies(const Report& report, const std::string& path) {
  std::vector<PartRead> others;
  std::copy_if(report.parts_read.begin(), report.parts_read.end(), std::back_inserter(others),
               [](const PartRead& read) { return read.same_copy != SameCopy::yes; });
  common::print_line(
      stderr, fmt::format("NOT VERIFIED: what was read is consistent, but nothing shows that it was {}, "
                          "and not another copy of it:",
                          path));
  for (const std::string& line : describe(others))
    common::print_line(stderr, "  part " + common::escape_for_terminal(line));
  common::print_line(
      stderr,
      "A shared file system that numbers files anew on each host (sshfs) gives the same picture. "
      "To be sure, verify on this host: safe-packer verify " +
          path);
}

void print_good(const Report& report, const std::string& path, const TrustFlags& trust) {
  const double megabytes = static_cast<double>(report.bytes) / 1e6;
  if (report.depth == Depth::quick) {
    common::print_line(
        stderr,
        fmt::format("NOT VERIFIED: names and sizes of {} files ({:.1f} MB) are right, their bytes were "
                    "not read",
                    report.files, megabytes));
    return;
  }
  if (!is_verified(report)) return print_other_copies(report, path);
  common::print_line(
      stderr, fmt::format("{} files, {:.1f} MB: consistent{}{}", report.files, megabytes, trust.who_signed(),
                          report.signature == SignatureState::not_checked ? "; signature not checked" : ""));
  common::print_line(stdout, report.id->hex() + "  " + path);
}

struct VerifyValues {
  std::filesystem::path path;
  TrustFlags trust;
  bool quick = false;
  std::optional<Part> part;
  std::vector<std::filesystem::path> join;
};

ExamineRequest request_of(const VerifyValues& values, const common::CommonFlags& flags) {
  ExamineRequest request;
  request.depth = values.quick ? Depth::quick : Depth::full;
  request.expected_id = values.trust.expected_id;
  if (const auto& key = values.trust.trusted_key)
    request.trusted_key = common::read_trusted_key(*key, values.path.string());
  request.threads = flags.threads;
  request.verbosity = flags.verbosity();
  request.part = values.part;
  return request;
}

Report judge(const VerifyValues& values, const ExamineRequest& request) {
  if (values.join.empty()) return verify(values.path, request);
  const PartReports parts = read_part_reports(values.join);
  Report report = join_parts(values.path, parts, request);
  for (const UnreadPart& unread : parts.unread)
    common::print_line(stderr, "warning: " + unread.file.string() + " " + unread.why +
                                   "; all parts are there without it, so remove it");
  return report;
}

}  // namespace

void add_verify(common::Program& program) {
  const auto values = std::make_shared<VerifyValues>();
  common::Verb& verb = program.add(
      {"verify",
       "Check every byte of a pack, without extracting it",
       {"verify experiments/overfitting/data_pack", "verify safe_overfit_pack.tgz --trust KEY.pub.pem"},
       {{0, "the pack is consistent"}, {1, k_damaged}, {3, k_io}, {4, k_unsigned}, {130, "interrupted"}}});
  verb.path("PATH,--pack,--pack-root", values->path,
            "Read this pack: a folder, an archive, or - for standard input")
      .required();
  verb.on("--quick", values->quick,
          "Hash the control files only, and look at names and sizes (folder and .tar)");
  add_trust_flags(verb, values->trust);
  verb.value("--part", "I/N",
             "Hash share I of N only, so that N processes or hosts share the work (folder and .tar); auto "
             "takes the number from srun; join what --json prints with --join",
             [values](const std::string&, const std::string& text) { values->part = parse_part(text); })
      .otherwise("all of it")
      .excludes({"--quick"});
  verb.paths(
          "--join", values->join,
          "Read the reports of all parts, files and folders of *.json, and give the result of a whole verify")
      .several()
      .excludes({"--quick", "--part"});
  verb.action([values](const common::CommonFlags& flags) {
    const std::string path = values->path.string();
    const Report report = judge(*values, request_of(*values, flags));
    if (!flags.json) print_parts_read(report);
    if (flags.json)
      common::print_json(to_json(report, path), common::JsonLayout::pretty);
    else if (!report.findings.empty())
      print_findings(report, path);
    else if (report.part)
      print_good_part(report);
    else
      print_good(report, path, values->trust);
    return report.findings.empty() ? 0 : common::exit_code(kind_of(report.findings));
  });
}

namespace {

int run_list(const std::filesystem::path& path, const common::CommonFlags& flags) {
  ExamineRequest request;
  request.depth = Depth::control;
  request.verbosity = common::Verbosity::quiet;
  const Report report = verify(path, request);
  if (!report.findings.empty()) {
    print_findings(report, path.string());
    return common::exit_code(common::ErrorKind::mismatch);
  }
  if (flags.json) {
    Json files = Json::array();
    for (const PackFile& file : report.contents)
      files.push_back({{"path", file.path.text()}, {"bytes", file.bytes}, {"sha256", file.digest.hex()}});
    const Json root{{"name", report.name}, {"id", report.id->hex()}, {"files", std::move(files)}};
    common::print_json(root, common::JsonLayout::pretty);
    return 0;
  }
  for (const PackFile& file : report.contents)
    common::print_line(stdout, fmt::format("{} {:12}  {}", file.digest.hex(), file.bytes, file.path.text()));
  return 0;
}

}  // namespace

void add_list(common::Program& program) {
  const auto path = std::make_shared<std::filesystem::path>();
  common::Verb& verb = program.add({"list",
                                    "List the files of a pack, from its control files; nothing else is read",
                                    {"list data_pack", "list --json data_pack.tar.zst"},
                                    {{1, "the control files are damaged or malformed"}, {3, k_io}}});
  verb.path("PATH,--pack,--pack-root", *path, "Read this pack: a folder, an archive, or - for standard input")
      .required();
  verb.action([path](const common::CommonFlags& flags) { return run_list(*path, flags); });
}

}  // namespace packer
