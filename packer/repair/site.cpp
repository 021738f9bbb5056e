#include "packer/repair/site.hpp"

#include <unistd.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "common/sealed/draft.hpp"
#include "common/sealed/weaker.hpp"
#include "packer/format/names.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

fs::file_type type_of(const fs::path& path) { return fs::symlink_status(path).type(); }

fs::path check_pack(const fs::path& pack) {
  if (type_of(pack) == fs::file_type::not_found)
    throw Error(ErrorKind::io, pack.string() + " does not exist; name the folder of the damaged pack");
  if (!fs::is_directory(pack))
    throw Error(ErrorKind::usage, pack.string() +
                                      " is not a folder, and only a folder is repaired in place; extract the "
                                      "archive, or get it again");
  if (type_of(pack / common::k_seal_name) == fs::file_type::not_found &&
      type_of(pack / k_info_name) == fs::file_type::not_found)
    throw Error(ErrorKind::mismatch,
                pack.string() +
                    " has neither SHA256SUMS nor pack.json, so it is not a pack; extract an "
                    "archive of it (safe-packer extract ARCHIVE --dest " +
                    pack.string() + ")");
  return fs::canonical(pack);
}

std::string staging_name(const fs::path& pack) { return "." + pack.filename().string() + ".repair"; }

// "" for what lies in the pack itself.
std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

// The first name that is free: what an earlier run moved away is never overwritten.
fs::path free_name(const fs::path& pack) {
  for (int i = 1;; ++i) {
    fs::path candidate = pack;
    candidate += i == 1 ? std::string(".aside") : ".aside-" + std::to_string(i);
    if (type_of(candidate) == fs::file_type::not_found) return candidate;
  }
}

}  // namespace

// A file under construction in the staging folder.
class RepairSite::Part : public common::Sink {
 public:
  Part(RepairSite& site, common::SumsLine line, std::string from)
      : site_(site), line_(std::move(line)), from_(std::move(from)), name_(site.next_part()) {
    file_ = site_.staging_.create(name_);
  }
  ~Part() override {
    ::unlinkat(site_.staging_.descriptor(), name_.c_str(), 0);
    site_.release(line_.path.text());
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  void write(common::ByteView bytes) override {
    hasher_.update(bytes);
    file_.write_all(bytes, site_.staging_.path_of(name_));
  }
  void finish() override {
    if (hasher_.finish() != line_.digest) return;
    file_.sync(site_.staging_.path_of(name_));
    file_.close(site_.staging_.path_of(name_));
    site_.place(name_, line_.path.text(), from_);
  }

 private:
  RepairSite& site_;
  common::SumsLine line_;
  std::string from_;
  std::string name_;
  common::File file_;
  common::Hasher hasher_;
};

RepairSite::RepairSite(const fs::path& pack)
    : pack_(check_pack(pack)),
      parent_(common::Folder::open(pack_.parent_path())),
      lock_(parent_, pack_.filename().string()),
      folder_(common::Folder::open(pack_)),
      staging_(common::open_work_folder(parent_, staging_name(pack_)).folder) {
  // Half-written files of a run that was killed.
  for (const common::Entry& entry : staging_.walk(1)) staging_.remove(entry.path);
  for (const common::Entry& entry : folder_.walk())
    if (entry.kind == common::EntryKind::file) files_.insert(entry.path);
}

RepairSite::~RepairSite() {
  try {
    parent_.remove(staging_name(pack_));
  } catch (const Error&) {  // the next repair removes it
  }
}

std::optional<common::Digest> RepairSite::digest_of(const std::string& path) const {
  if (files_.count(path) == 0) return std::nullopt;
  try {
    const common::File file = folder_.open_to_read(path);
    const fs::path shown = folder_.path_of(path);
    // No file of a pack is longer; a sparse one may be, and would be read for hours.
    if (common::size_of(file, shown) > (is_control(path) ? k_control_limit_bytes : k_file_limit_bytes))
      return std::nullopt;
    return common::digest_file(file, shown, common::OnStop::end).digest;
  } catch (const Error& error) {
    // A sector that cannot be read is damage like any other.
    if (error.kind() == ErrorKind::io) return std::nullopt;
    throw;
  }
}

bool RepairSite::has_size(const std::string& path, std::uint64_t bytes) const {
  const auto there = folder_.look(path);
  return there && there->kind == common::EntryKind::file && there->size == bytes;
}

void RepairSite::want(const std::vector<common::SumsLine>& lines, const std::optional<PackInfo>& info,
                      unsigned threads) {
  std::vector<char> good(lines.size());
  common::parallel_for(lines.size(), threads, [&](std::size_t i) {
    // A file of another size than it must have is damaged, and may be too long to be read.
    const FileInfo* file = info ? find_file(*info, lines[i].path) : nullptr;
    const std::string& path = lines[i].path.text();
    const bool may_be_good = file == nullptr || files_.count(path) == 0 || has_size(path, file->bytes);
    good[i] = may_be_good && digest_of(path) == lines[i].digest ? 1 : 0;
  });
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (good[i] == 0) wanted_.emplace(lines[i].path.text(), lines[i]);
}

std::vector<common::SumsLine> RepairSite::wanted() const {
  const std::lock_guard lock(mutex_);
  std::vector<common::SumsLine> lines;
  for (const auto& [path, line] : wanted_) lines.push_back(line);
  return lines;
}

std::string RepairSite::next_part() const {
  const std::lock_guard lock(mutex_);
  return std::to_string(parts_++);
}

void RepairSite::release(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  in_work_.erase(path);
}

std::unique_ptr<common::Sink> RepairSite::begin(const common::SumsLine& line, const std::string& from) {
  {
    const std::lock_guard lock(mutex_);
    in_work_.insert(line.path.text());
  }
  return std::make_unique<Part>(*this, line, from);
}

std::unique_ptr<common::Sink> RepairSite::begin_any(const common::Digest& digest, const std::string& from) {
  const common::SumsLine* chosen = nullptr;
  common::SumsLine line;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [path, candidate] : wanted_)
      if (candidate.digest == digest && in_work_.insert(path).second) {
        line = candidate;
        chosen = &line;
        break;
      }
  }
  return chosen == nullptr ? nullptr : std::make_unique<Part>(*this, line, from);
}

bool RepairSite::put(const common::SumsLine& line, common::ByteView bytes, const std::string& from) {
  if (common::digest_of(bytes) != line.digest) return false;
  const std::unique_ptr<common::Sink> part = begin(line, from);
  part->write(bytes);
  part->finish();
  return true;
}

void RepairSite::put_unlisted(const std::string& path, common::ByteView bytes, const std::string& from) {
  (void)put({common::PackPath(path), common::digest_of(bytes)}, bytes, from);
}

void RepairSite::place(const std::string& staged, const std::string& path, const std::string& from) {
  const std::lock_guard lock(mutex_);
  clear_way(path);
  staging_.rename(staged, folder_, path);
  changed_.insert(folder_of(path));
  files_.insert(path);
  wanted_.erase(path);
  repaired_.push_back({path, from});
}

// Makes the folders of `path`, and moves away what is no folder where one must be, or no file in its place.
void RepairSite::clear_way(const std::string& path) {
  for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
    const std::string folder = path.substr(0, at);
    if (const auto there = folder_.look(folder); there && there->kind != common::EntryKind::folder)
      move_aside(folder);
    folder_.make_folder(folder);
  }
  if (const auto there = folder_.look(path); there && there->kind != common::EntryKind::file)
    move_aside(path);
}

void RepairSite::move_aside(const std::string& path) {
  if (!moved_to_) {
    aside_ = free_name(pack_);
    parent_.make_folder(aside_.filename().string());
    moved_to_ = parent_.subfolder(aside_.filename().string());
  }
  if (const std::string folder = folder_of(path); !folder.empty()) moved_to_->make_folder(folder);
  folder_.rename(path, *moved_to_, path);
  moved_.push_back(path);
  changed_.insert(folder_of(path));
}

void RepairSite::remove_empty_folders(std::string folder) const {
  while (!folder.empty() && folder_.remove_if_empty(folder)) folder = folder_of(folder);
}

// Files are synced before they are renamed; a rename that a power cut undoes leaves what was there before.
void RepairSite::sync() const {
  bool synced = true;
  const auto sync = [&](const common::Folder& folder, const fs::path& what) {
    synced = folder.sync_published(what) == common::Synced::yes && synced;
  };
  for (const std::string& folder : changed_) {
    if (folder.empty())
      sync(folder_, pack_);
    else if (folder_.look(folder))
      sync(folder_.subfolder(folder), pack_);
  }
  if (moved_to_) sync(*moved_to_, aside_);
  if (!synced) common::warn_of_no_sync(pack_);
}

std::vector<RepairedFile> RepairSite::repaired() const {
  std::vector<RepairedFile> files = repaired_;
  std::sort(files.begin(), files.end(),
            [](const RepairedFile& a, const RepairedFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace packer
