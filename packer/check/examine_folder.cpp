#include "packer/check/examine_folder.hpp"

#include <algorithm>
#include <numeric>

#include "common/error.hpp"
#include "common/sealed/inventory.hpp"
#include "packer/check/hash_files.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

void accept_file(const common::Folder& root, const std::string& name, const common::Inventory& sizes,
                 const ExamineRequest& request, Examination& examination) {
  const auto at = sizes.find(name);
  if (at == sizes.end()) return;
  const FileInfo* file = examination.info ? find_file(*examination.info, common::PackPath(name)) : nullptr;
  if (at->second > k_control_limit_bytes)
    examination.findings.push_back({name, "F7", "a control file has at most 256 MiB"});
  else if (file == nullptr ||
           !has_other_size({file->path, file->bytes, {}}, at->second, examination, examination.findings))
    accept_control(name, root.read(name, k_control_limit_bytes), request, examination);
}

// pack.json first: it knows the sizes of all others.
void read_info(const common::Folder& root, PackHead head, const common::Inventory& sizes,
               const ExamineRequest& request, Examination& examination) {
  accept_seal(std::move(*head.seal), request, examination);
  if (head.signature) accept_signature(std::move(*head.signature), request, examination);
  for (const common::SumsLine& line : examination.sums)
    if (line.path.text() == k_info_name) accept_file(root, line.path.text(), sizes, request, examination);
}

void read_manifests(const common::Folder& root, const common::Inventory& sizes, const ExamineRequest& request,
                    Examination& examination) {
  for (const common::SumsLine& line : examination.sums)
    if (is_control(line.path.text()) && line.path.text() != k_info_name)
      accept_file(root, line.path.text(), sizes, request, examination);
}

// Media files that are to be hashed, as indices into `files`.
std::vector<std::size_t> list_media(const common::Inventory& sizes, const ExamineRequest& request,
                                    Examination& examination) {
  const Share share = share_of(request, examination);
  std::vector<std::size_t> media;
  for (std::size_t i = 0; i < examination.files.size(); ++i) {
    const std::string& path = examination.files[i].path.text();
    const auto at = sizes.find(path);
    if (is_control(path) || at == sizes.end()) continue;
    if (request.depth == Depth::control) continue;
    if (at->second > k_file_limit_bytes)
      examination.findings.push_back({path, "F7", "a file has less than 8 GiB"});
    else if (!has_other_size(examination.files[i], at->second, examination, examination.findings) &&
             request.depth == Depth::full && share.has(i))
      media.push_back(i);
  }
  return media;
}

class FolderReading : public FileReading {
 public:
  FolderReading(const common::Folder& root, const PackFile& expected, const Examination& examination,
                common::Findings& findings, common::Progress& progress)
      : FileReading(expected, examination),
        host_(root.path_of(expected.path.text())),
        file_(root.open_to_read(expected.path.text())),
        findings_(findings),
        progress_(progress) {}

  common::ByteView read(common::ReadBuffer& buffer) override {
    return {buffer.data(), file_.read_at(buffer.data(), buffer.size(), check().bytes(), host_)};
  }
  void conclude() override {
    check().conclude(findings_);
    progress_.add(check().bytes() >> 20);
  }

 private:
  fs::path host_;
  common::File file_;
  common::Findings& findings_;
  common::Progress& progress_;
};

// One thread parses manifests while the others hash already: parsing first would be a tenth of the time.
void check_files(const common::Folder& root, const common::Inventory& sizes, const ExamineRequest& request,
                 Examination& examination) {
  const std::vector<std::size_t> media = list_media(sizes, request, examination);
  std::uint64_t total = 0;
  for (const std::size_t i : media) total += examination.files[i].bytes;
  common::Progress progress("verifying", "MB", total >> 20, request.verbosity);
  std::vector<common::Findings> found(media.size());
  hash_files(media.size() + 1, request.threads, [&](std::size_t job) -> std::unique_ptr<FileReading> {
    if (job == 0) {
      read_manifests(root, sizes, request, examination);
      return nullptr;
    }
    return std::make_unique<FolderReading>(root, examination.files[media[job - 1]], examination,
                                           found[job - 1], progress);
  });
  for (const common::Findings& part : found)
    examination.findings.insert(examination.findings.end(), part.begin(), part.end());
}

}  // namespace

Examination examine_folder(const common::Folder& root, const ExamineRequest& request) {
  Examination examination;
  PackHead head = common::read_seal(root, examination.findings);
  if (!accept_trust(head, request, examination)) {
    common::sort_findings(examination.findings);
    return examination;
  }
  // Of a folder that is no pack at all, nothing else is worth saying.
  const bool may_be_pack = head.seal || !examination.findings.empty() || root.look(std::string(k_info_name));
  common::Inventory sizes;
  if (may_be_pack) sizes = common::take_inventory(root, examination.findings);
  if (!head.seal) {
    if (std::none_of(examination.findings.begin(), examination.findings.end(),
                     [](const common::Finding& finding) { return finding.path == common::k_seal_name; }))
      examination.findings.push_back(
          {std::string(common::k_seal_name), "S1", "is missing, so this is not a pack"});
    common::sort_findings(examination.findings);
    return examination;
  }
  read_info(root, std::move(head), sizes, request, examination);
  common::compare_names(sizes, examination.sums, examination.findings);
  list_files(examination);
  check_files(root, sizes, request, examination);
  conclude(request, examination);
  return examination;
}

Examination examine_folder(const fs::path& root, const ExamineRequest& request) {
  return examine_folder(common::Folder::open(root), request);
}

}  // namespace packer
