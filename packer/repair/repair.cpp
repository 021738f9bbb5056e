#include "packer/repair/repair.hpp"

#include <set>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "common/program.hpp"
#include "common/sealed/signature.hpp"
#include "packer/build/copy.hpp"
#include "packer/check/examine_folder.hpp"
#include "packer/format/parse_info.hpp"
#include "packer/repair/seal.hpp"
#include "packer/repair/sources.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

// pack.json of the pack, once its bytes are those that the seal lists: it tells sizes, and how clips were
// made.
std::optional<PackInfo> read_info(const RepairSite& site, const std::vector<common::SumsLine>& lines) {
  for (const common::SumsLine& line : lines)
    if (line.path.text() == k_info_name && site.digest_of(line.path.text()) == line.digest) {
      common::Findings ignored;
      return parse_info(site.folder().read_text(std::string(k_info_name), k_control_limit_bytes), ignored);
    }
  return std::nullopt;
}

std::vector<common::SumsLine> control_lines(const std::vector<common::SumsLine>& lines) {
  std::vector<common::SumsLine> control;
  for (const common::SumsLine& line : lines)
    if (is_control(line.path.text())) control.push_back(line);
  return control;
}

// A signature proves itself only to who has the key. One of the wrong kind or length is none, and another
// copy of the same seal may have the right one.
void repair_signature(RepairSite& site, const SettledSeal& seal, const RepairSources& sources) {
  const std::string name(common::k_signature_name);
  if (seal.signature) return site.put_unlisted(name, seal.signature->bytes, seal.signature->from);
  const auto there = site.folder().look(name);
  const bool is_bad =
      there && (there->kind != common::EntryKind::file || there->size != common::k_signature_bytes);
  if (!is_bad) return;
  for (const SealCandidate& candidate : sources.seals())
    if (candidate.signature && candidate.bytes == seal.bytes)
      return site.put_unlisted(name, *candidate.signature,
                               candidate.from + " (not checked: that needs the signer's key)");
}

std::string why_lost(const common::SumsLine& line, const std::optional<PackInfo>& info) {
  const FileInfo* file = info ? find_file(*info, line.path) : nullptr;
  std::string why = "no source named has the bytes with SHA-256 " + line.digest.hex();
  if (file != nullptr && file->clip && file->clip->source)
    why += ", or the sound that it was made from, with SHA-256 " + file->clip->source->hex();
  return why;
}

// A link in the place of a file that no source had stays: nothing better is there.
void move_extras(RepairSite& site, const std::vector<common::SumsLine>& lines,
                 const ExamineRequest& request) {
  std::set<std::string> listed{std::string(common::k_seal_name), std::string(common::k_signature_name)};
  for (const common::SumsLine& line : lines) listed.insert(line.path.text());
  const Examination now = examine_folder(site.folder(), request);
  for (const common::Finding& finding : now.findings)
    if ((finding.rule == "F3" || finding.rule == "F4") && listed.count(finding.path) == 0) {
      site.move_aside(finding.path);
      site.remove_empty_folders(fs::path(finding.path).parent_path().string());
    }
  for (const common::Finding& finding : now.findings)
    if (finding.rule == "F5") site.remove_empty_folders(finding.path);
}

void fetch(RepairSite& site, const std::vector<common::SumsLine>& lines, RepairSources& sources,
           const RepairRequest& request, RepairOutcome& outcome) {
  // The control files first: pack.json tells how to look for the others.
  site.want(control_lines(lines), std::nullopt, request.threads);
  sources.fetch_control(site);
  const std::optional<PackInfo> info = read_info(site, lines);
  site.want(lines, info, request.threads);
  if (!site.wanted().empty()) sources.fetch_all(site, lines, info);
  for (const common::SumsLine& line : site.wanted())
    outcome.lost.push_back({line.path.text(), why_lost(line, info)});
}

}  // namespace

RepairOutcome repair(const RepairRequest& request) {
  RepairOutcome outcome;
  ExamineRequest whole{Depth::full, request.expected_id, request.threads, request.verbosity};
  if (request.trusted_key) whole.trusted_key = common::read_trusted_key(*request.trusted_key, request.pack);
  {
    RepairSite site(request.pack);
    RepairSources sources(site, request);
    const SettledSeal seal =
        settle_seal(site, {request.expected_id, whole.trusted_key}, sources.seals(), request.threads);
    if (!seal.from.empty()) site.put_unlisted(std::string(common::k_seal_name), seal.bytes, seal.from);
    fetch(site, seal.lines, sources, request, outcome);
    repair_signature(site, seal, sources);
    if (request.extras == Extras::move_aside)
      move_extras(site, seal.lines, {Depth::quick, {}, request.threads, common::Verbosity::quiet});
    site.sync();
    outcome.repaired = site.repaired();
    outcome.moved = site.moved();
    outcome.aside = site.aside();
    outcome.remarks = sources.remarks();
  }
  outcome.report = verify(request.pack, whole);
  return outcome;
}

}  // namespace packer
