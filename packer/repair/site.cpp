#include "packer/repair/site.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "packer/format/draft.hpp"
#include "packer/format/names.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

void rename_or_throw(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    common::throw_errno("cannot rename " + from.string() + " to " + to.string());
}

fs::file_type type_of(const fs::path& path) { return fs::symlink_status(path).type(); }

fs::path check_pack(const fs::path& pack) {
  if (type_of(pack) == fs::file_type::not_found)
    throw Error(ErrorKind::io, pack.string() + " is not there; name the damaged pack's folder");
  if (!fs::is_directory(pack))
    throw Error(ErrorKind::usage, pack.string() +
                                      " is no folder, and only a folder is repaired in place; extract the "
                                      "archive, or get it again");
  if (type_of(pack / common::k_seal_name) == fs::file_type::not_found &&
      type_of(pack / k_info_name) == fs::file_type::not_found)
    throw Error(ErrorKind::mismatch,
                pack.string() +
                    " has neither SHA256SUMS nor pack.json, so it is no pack; extract an "
                    "archive of it (safe-packer extract ARCHIVE --dest " +
                    pack.string() + ")");
  return fs::canonical(pack);
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
      : site_(site), line_(std::move(line)), from_(std::move(from)), host_(site.next_part()) {
    file_ = common::create_new(host_);
  }
  ~Part() override {
    ::unlink(host_.c_str());
    site_.release(line_.path.text());
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  void write(common::ByteView bytes) override {
    hasher_.update(bytes);
    file_.write_all(bytes, host_);
  }
  void finish() override {
    if (hasher_.finish() != line_.digest) return;
    file_.sync(host_);
    file_.close(host_);
    site_.place(host_, line_.path.text(), from_);
  }

 private:
  RepairSite& site_;
  common::SumsLine line_;
  std::string from_;
  fs::path host_;
  common::File file_;
  common::Hasher hasher_;
};

RepairSite::RepairSite(const fs::path& pack) : pack_(check_pack(pack)) {
  staging_ = pack_.parent_path() / ("." + pack_.filename().string() + ".repair");
  Found found = Found::made;
  lock_ = lock_folder(staging_, found);
  // Half-written files of a run that was killed.
  for (const fs::directory_entry& entry : fs::directory_iterator(staging_)) fs::remove_all(entry.path());
  list_files();
}

RepairSite::~RepairSite() {
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
}

void RepairSite::list_files() {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(pack_))
    if (entry.symlink_status().type() == fs::file_type::regular)
      files_.insert(entry.path().lexically_relative(pack_).generic_string());
}

std::optional<common::Digest> RepairSite::digest_of(const std::string& path) const {
  if (files_.count(path) == 0) return std::nullopt;
  try {
    return common::digest_file(pack_ / path).digest;
  } catch (const Error& error) {
    // A sector that cannot be read is damage like any other.
    if (error.kind() == ErrorKind::io) return std::nullopt;
    throw;
  }
}

void RepairSite::want(const std::vector<common::SumsLine>& lines, unsigned threads) {
  std::vector<char> good(lines.size());
  common::parallel_for(lines.size(), threads, [&](std::size_t i) {
    good[i] = digest_of(lines[i].path.text()) == lines[i].digest ? 1 : 0;
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

fs::path RepairSite::next_part() const {
  const std::lock_guard lock(mutex_);
  return staging_ / std::to_string(parts_++);
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

void RepairSite::place(const fs::path& staged, const std::string& path, const std::string& from) {
  const std::lock_guard lock(mutex_);
  clear_way(path);
  rename_or_throw(staged, pack_ / path);
  changed_.insert((pack_ / path).parent_path());
  files_.insert(path);
  wanted_.erase(path);
  repaired_.push_back({path, from});
}

// Makes the folders of `path`, and moves away what is no folder where one must be, or no file in its place.
void RepairSite::clear_way(const std::string& path) {
  for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
    const std::string folder = path.substr(0, at);
    const fs::file_type type = type_of(pack_ / folder);
    if (type == fs::file_type::directory) continue;
    if (type != fs::file_type::not_found) move_aside(folder);
    if (::mkdir((pack_ / folder).c_str(), 0755) != 0 || ::chmod((pack_ / folder).c_str(), 0755) != 0)
      common::throw_errno("cannot create " + (pack_ / folder).string());
  }
  const fs::file_type type = type_of(pack_ / path);
  if (type != fs::file_type::not_found && type != fs::file_type::regular) move_aside(path);
}

void RepairSite::move_aside(const std::string& path) {
  if (aside_.empty()) aside_ = free_name(pack_);
  fs::create_directories((aside_ / path).parent_path());
  rename_or_throw(pack_ / path, aside_ / path);
  moved_.push_back(path);
  changed_.insert({aside_, (aside_ / path).parent_path(), (pack_ / path).parent_path()});
}

void RepairSite::remove_empty_folders(fs::path folder) const {
  while (!folder.empty() && ::rmdir((pack_ / folder).c_str()) == 0) folder = folder.parent_path();
}

// Files are synced before they are renamed; a rename that a power cut undoes leaves what was there before.
void RepairSite::sync() const {
  for (const fs::path& folder : changed_)
    if (fs::is_directory(folder)) common::sync_folder(folder);
}

std::vector<RepairedFile> RepairSite::repaired() const {
  std::vector<RepairedFile> files = repaired_;
  std::sort(files.begin(), files.end(),
            [](const RepairedFile& a, const RepairedFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace packer
