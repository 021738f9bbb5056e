#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "common/error.hpp"
#include "packer/check/examine.hpp"
#include "packer/check/hash_files.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

const char* kind_of(fs::file_type type) {
  switch (type) {
    case fs::file_type::symlink:
      return "a symbolic link";
    case fs::file_type::fifo:
      return "a FIFO";
    case fs::file_type::socket:
      return "a socket";
    case fs::file_type::block:
    case fs::file_type::character:
      return "a device";
    default:
      return "neither a file nor a folder";
  }
}

using Sizes = std::map<std::string, std::uint64_t>;

// Regular files under `root` with their sizes; everything else that a pack cannot hold becomes a finding.
// Never follows a link.
void walk(const fs::path& root, const std::string& prefix, Sizes& sizes, common::Findings& findings) {
  bool any = false;
  for (const fs::directory_entry& entry : fs::directory_iterator(root / prefix)) {
    any = true;
    const std::string path = prefix + entry.path().filename().string();
    const fs::file_type type = entry.symlink_status().type();
    if (type == fs::file_type::directory) {
      // A hostile tree could be deep enough to exhaust the stack; legal paths end far earlier.
      if (path.size() <= common::PackPath::k_limit_bytes)
        walk(root, path + "/", sizes, findings);
      else
        findings.push_back({path, "F3", "is a folder that no path of a pack can reach"});
    } else if (type == fs::file_type::regular) {
      sizes.emplace(path, entry.file_size());
    } else {
      findings.push_back(
          {path, "F4", std::string("is ") + kind_of(type) + "; a pack holds files and folders only"});
    }
  }
  if (!any && !prefix.empty())
    findings.push_back({prefix.substr(0, prefix.size() - 1), "F5", "is an empty folder"});
}

// F1 and F3: what the seal lists against what is there.
void compare_names(const Sizes& sizes, Examination& examination) {
  for (const auto& [path, size] : sizes) {
    if (path == common::k_seal_name || path == common::k_signature_name) continue;
    const auto at = std::lower_bound(
        examination.sums.begin(), examination.sums.end(), path,
        [](const common::SumsLine& line, const std::string& p) { return line.path.text() < p; });
    if (at == examination.sums.end() || at->path.text() != path)
      examination.findings.push_back({path, "F3", "SHA256SUMS does not list it"});
  }
  for (const common::SumsLine& line : examination.sums)
    if (sizes.count(line.path.text()) == 0)
      examination.findings.push_back({line.path.text(), "F1", "is missing"});
}

// Read once: what was checked against a key is what is parsed.
PackHead read_head(const fs::path& root, common::Findings& findings) {
  PackHead head;
  const fs::path seal = root / common::k_seal_name, signature = root / common::k_signature_name;
  if (fs::is_regular_file(fs::symlink_status(seal))) {
    if (fs::file_size(seal) > common::k_seal_limit_bytes)
      findings.push_back({std::string(common::k_seal_name), "S1", "has more than 64 MiB"});
    else
      head.seal = common::read_file(seal, common::k_seal_limit_bytes);
  }
  if (fs::is_regular_file(fs::symlink_status(signature))) {
    if (const std::uint64_t size = fs::file_size(signature); size != common::k_signature_bytes)
      findings.push_back({std::string(common::k_signature_name), "S7",
                          "has " + std::to_string(size) + " bytes, a signature has exactly 64"});
    else
      head.signature = common::read_file(signature, common::k_signature_bytes);
  }
  return head;
}

void accept_file(const fs::path& root, const std::string& name, const Sizes& sizes,
                 const ExamineRequest& request, Examination& examination) {
  const auto at = sizes.find(name);
  if (at == sizes.end()) return;
  if (at->second > k_control_limit_bytes)
    examination.findings.push_back({name, "F7", "a control file has at most 256 MiB"});
  else
    accept_control(name, common::read_file(root / name, k_control_limit_bytes), request, examination);
}

// pack.json first: it knows the sizes of all others.
void read_info(const fs::path& root, PackHead head, const Sizes& sizes, const ExamineRequest& request,
               Examination& examination) {
  accept_seal(std::move(*head.seal), request, examination);
  if (head.signature) accept_signature(std::move(*head.signature), request, examination);
  for (const common::SumsLine& line : examination.sums)
    if (line.path.text() == k_info_name) accept_file(root, line.path.text(), sizes, request, examination);
}

void read_manifests(const fs::path& root, const Sizes& sizes, const ExamineRequest& request,
                    Examination& examination) {
  for (const common::SumsLine& line : examination.sums)
    if (is_control(line.path.text()) && line.path.text() != k_info_name)
      accept_file(root, line.path.text(), sizes, request, examination);
}

// Media files that are to be hashed, as indices into `files`.
std::vector<std::size_t> list_media(const Sizes& sizes, const ExamineRequest& request,
                                    Examination& examination) {
  std::vector<std::size_t> media;
  for (std::size_t i = 0; i < examination.files.size(); ++i) {
    const std::string& path = examination.files[i].path.text();
    const auto at = sizes.find(path);
    if (is_control(path) || at == sizes.end()) continue;
    if (request.depth == Depth::full)
      media.push_back(i);
    else if (request.depth == Depth::quick && examination.info && at->second != examination.files[i].bytes)
      examination.findings.push_back({path, "F6",
                                      "has " + std::to_string(at->second) + " bytes, pack.json says " +
                                          std::to_string(examination.files[i].bytes)});
  }
  return media;
}

class FolderReading : public FileReading {
 public:
  FolderReading(const fs::path& root, const PackFile& expected, const Examination& examination,
                common::Findings& findings, common::Progress& progress)
      : FileReading(expected, examination),
        host_(expected.path.under(root)),
        file_(common::open_to_read(host_)),
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
void check_files(const fs::path& root, const Sizes& sizes, const ExamineRequest& request,
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

Examination examine_folder(const fs::path& root, const ExamineRequest& request) {
  Examination examination;
  PackHead head = read_head(root, examination.findings);
  if (!accept_trust(head, request, examination)) {
    common::sort_findings(examination.findings);
    return examination;
  }
  Sizes sizes;
  walk(root, "", sizes, examination.findings);
  if (!head.seal) {
    if (std::none_of(examination.findings.begin(), examination.findings.end(),
                     [](const common::Finding& finding) { return finding.path == common::k_seal_name; }))
      examination.findings.push_back(
          {std::string(common::k_seal_name), "S1", "is not there, so this is no pack"});
    common::sort_findings(examination.findings);
    return examination;
  }
  read_info(root, std::move(head), sizes, request, examination);
  compare_names(sizes, examination);
  list_files(examination);
  check_files(root, sizes, request, examination);
  conclude(examination);
  return examination;
}

}  // namespace packer
