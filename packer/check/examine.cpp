#include "packer/check/examine.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "common/sealed/signature.hpp"
#include "packer/format/parse_info.hpp"

namespace packer {

bool Examination::has_signature() const { return control.count(std::string(common::k_signature_name)) != 0; }

bool accept_trust(const PackHead& head, const ExamineRequest& request, Examination& examination) {
  if (!request.trusted_key) return true;
  std::string what = common::why_not_signed(*request.trusted_key, head.seal, head.signature);
  if (what.empty()) return true;
  examination.signature = SignatureState::refused;
  if ((!head.seal || !head.signature) && !examination.findings.empty())
    what = "cannot be read, and a signature is required";
  examination.findings.push_back({std::string(common::k_signature_name), "E2", what});
  return false;
}

void accept_seal(common::Bytes bytes, const ExamineRequest& request, Examination& examination) {
  examination.id = common::digest_of(bytes);
  if (request.expected_id && *request.expected_id != *examination.id)
    examination.findings.push_back(
        {"", "E1", "the pack id is " + examination.id->hex() + ", expected " + request.expected_id->hex()});
  examination.sums = common::parse_sums(common::text_of(bytes), required_files(), examination.findings);
  examination.control[std::string(common::k_seal_name)] = std::move(bytes);
}

void accept_signature(common::Bytes bytes, const ExamineRequest& request, Examination& examination) {
  const std::string name(common::k_signature_name);
  examination.signature = request.trusted_key ? SignatureState::good : SignatureState::not_checked;
  if (bytes.size() != common::k_signature_bytes)
    examination.findings.push_back(
        {name, "S7", "has " + std::to_string(bytes.size()) + " bytes, a signature has exactly 64"});
  examination.control[name] = std::move(bytes);
}

namespace {
const common::SumsLine* find_line(const std::vector<common::SumsLine>& sums, std::string_view path) {
  const auto at =
      std::lower_bound(sums.begin(), sums.end(), path,
                       [](const common::SumsLine& line, std::string_view p) { return line.path.text() < p; });
  return at != sums.end() && at->path.text() == path ? &*at : nullptr;
}
}  // namespace

void accept_control(const std::string& name, common::Bytes bytes, const ExamineRequest& request,
                    Examination& examination) {
  const common::SumsLine* line = find_line(examination.sums, name);
  ENSURE(line != nullptr);
  if (name == k_info_name) {
    examination.info_bytes = bytes.size();
    examination.info = parse_info(common::text_of(bytes), examination.findings);
    if (examination.info) check_info_against_sums(*examination.info, examination.sums, examination.findings);
  }
  PackFile expected{line->path, bytes.size(), line->digest};
  if (examination.info)
    if (const FileInfo* file = find_file(*examination.info, line->path)) expected.bytes = file->bytes;
  const common::Digest digest = common::digest_of(bytes);
  compare_file(expected, digest, bytes.size(), examination, examination.findings);
  // What a damaged manifest says is nothing to be judged.
  if (digest == line->digest && !request.part) examination.contents.read(name, bytes, examination.sums);
  if (request.on_control) request.on_control(examination, name, bytes);
  if (request.control == ControlBytes::keep) examination.control[name] = std::move(bytes);
}

void compare_file(const PackFile& expected, const common::Digest& digest, std::uint64_t bytes,
                  const Examination& examination, common::Findings& findings) {
  const std::string& path = expected.path.text();
  (void)has_other_size(expected, bytes, examination, findings);
  if (digest != expected.digest)
    findings.push_back(
        {path, "F2", "its SHA-256 is " + digest.hex() + ", SHA256SUMS says " + expected.digest.hex()});
}

void list_files(Examination& examination) {
  examination.files.clear();
  examination.files.reserve(examination.sums.size());
  for (const common::SumsLine& line : examination.sums) {
    const FileInfo* file = examination.info ? find_file(*examination.info, line.path) : nullptr;
    const bool is_info = line.path.text() == k_info_name;
    const std::uint64_t stated = file != nullptr ? file->bytes : 0;
    examination.files.push_back({line.path, is_info ? examination.info_bytes : stated, line.digest});
  }
}

bool has_other_size(const PackFile& expected, std::uint64_t bytes, const Examination& examination,
                    common::Findings& findings) {
  if (!examination.info || bytes == expected.bytes) return false;
  findings.push_back(
      {expected.path.text(), "F6",
       "has " + std::to_string(bytes) + " bytes, pack.json says " + std::to_string(expected.bytes)});
  return true;
}

Share share_of(const ExamineRequest& request, const Examination& examination) {
  return share_of(examination.files, request.part.value_or(Part{}));
}

void conclude(const ExamineRequest& request, Examination& examination) {
  std::vector<common::PackPath> paths;
  paths.reserve(examination.sums.size());
  for (const common::SumsLine& line : examination.sums) paths.push_back(line.path);
  check_names(examination.info ? examination.info->name : "", paths, examination.findings);
  // Rules across manifests say nothing useful about files that are known to be damaged.
  const bool intact = std::none_of(
      examination.findings.begin(), examination.findings.end(),
      [](const common::Finding& finding) { return is_control(finding.path) && !finding.path.empty(); });
  if (examination.info && intact && !request.part)
    examination.contents.conclude(*examination.info, examination.sums, examination.findings);
  // The last line of defence: whatever ended the reading early, a pack that was not read is not clean.
  if (examination.findings.empty() && (!examination.id || !examination.info))
    examination.findings.push_back({"", "S1", "neither the seal nor pack.json could be read"});
  common::sort_findings(examination.findings);
}

}  // namespace packer
