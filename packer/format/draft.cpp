#include "packer/format/draft.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "common/error.hpp"
#include "packer/format/names.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

[[noreturn]] void refuse(const fs::path& target, const std::string& why) {
  throw Error(ErrorKind::usage,
              target.string() + " will not be replaced: " + why + "; name another folder or remove it");
}

bool may_stand_in_a_pack(const std::string& name) {
  return name == common::k_seal_name || name == common::k_signature_name || role_of(name) ||
         name == "audio" || name == "images";
}

// True where the two changed places.
bool exchange(const fs::path& one, const fs::path& other) {
  if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) == 0) return true;
  if (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP) return false;  // not every file system can
  common::throw_errno("cannot put " + one.string() + " in the place of " + other.string());
}

void rename_or_throw(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    common::throw_errno("cannot rename " + from.string() + " to " + to.string());
}

}  // namespace

// A pack may be damaged and is replaced all the same (that is how it is repaired), but a folder with anything
// that no pack holds is somebody's work.
void check_replaceable(const fs::path& target) {
  const fs::file_type type = fs::symlink_status(target).type();
  if (type == fs::file_type::not_found) return;
  if (type == fs::file_type::symlink) refuse(target, "it is a symbolic link");
  if (type != fs::file_type::directory) refuse(target, "it is not a folder");
  if (fs::is_empty(target)) return;
  if (!fs::is_regular_file(fs::symlink_status(target / common::k_seal_name)) &&
      !fs::is_regular_file(fs::symlink_status(target / k_info_name)))
    refuse(target, "it is neither empty nor a pack");
  for (const fs::directory_entry& entry : fs::directory_iterator(target))
    if (const std::string name = entry.path().filename().string(); !may_stand_in_a_pack(name))
      refuse(target, "it holds \"" + common::escape_for_terminal(name) + "\", which is no part of a pack");
}

void check_new_folder(const fs::path& target) {
  const fs::file_status status = fs::symlink_status(target);
  if (!fs::exists(status) || (fs::is_directory(status) && fs::is_empty(target))) return;
  throw Error(ErrorKind::usage,
              target.string() + " is there and not an empty folder; name a folder that is not there yet");
}

fs::path resolve_target(const fs::path& target) {
  fs::path whole = fs::absolute(target).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  if (whole.filename().empty())
    throw Error(ErrorKind::usage, target.string() + " cannot become a pack; name a folder");
  return fs::weakly_canonical(whole.parent_path()) / whole.filename();
}

Draft::Draft(const fs::path& target) : target_(resolve_target(target)) {
  const std::string name = target_.filename().string();
  folder_ = target_.parent_path() / ("." + name + ".draft");
  retired_ = target_.parent_path() / ("." + name + ".old");
  for (fs::path parent = target_.parent_path(); !fs::exists(parent); parent = parent.parent_path())
    made_parents_.push_back(parent);
  // A run that was killed between the two renames of the fallback left the target's place empty.
  if (fs::exists(retired_)) {
    if (!fs::exists(target_))
      rename_or_throw(retired_, target_);
    else
      fs::remove_all(retired_);
  }
  check_replaceable(target_);
  fs::create_directories(target_.parent_path());
  Found found = Found::was_there;
  try {
    lock_ = lock_folder(folder_, found);
    resumed_ = found == Found::was_there;
  } catch (...) {
    // No destructor runs for what was never constructed.
    if (found == Found::made) ::rmdir(folder_.c_str());
    for (const fs::path& parent : made_parents_) ::rmdir(parent.c_str());
    throw;
  }
}

Draft::~Draft() {
  if (published_ || kept_) return;
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
  for (const fs::path& parent : made_parents_) ::rmdir(parent.c_str());
}

common::File lock_folder(const fs::path& folder, Found& found) {
  common::File lock;
  for (;;) {
    found = ::mkdir(folder.c_str(), 0755) == 0 ? Found::made : Found::was_there;
    if (found == Found::was_there && errno != EEXIST) common::throw_errno("cannot create " + folder.string());
    lock = common::File(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!lock.is_open()) {
      if (errno == ENOENT) continue;
      common::throw_errno("cannot open " + folder.string());
    }
    if (::flock(lock.descriptor(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) common::throw_errno("cannot lock " + folder.string());
      found = Found::was_there;  // another took it between the two calls, and it is not ours to remove
      throw Error(ErrorKind::io,
                  folder.string() + " is in use by another safe-packer; wait until it has ended");
    }
    // Between open and lock its owner may have published or removed it: the lock must be on what stands there
    // now.
    struct stat held {
    }, there{};
    if (::fstat(lock.descriptor(), &held) != 0) common::throw_errno("cannot examine " + folder.string());
    if (::lstat(folder.c_str(), &there) != 0) {
      if (errno == ENOENT) continue;
      common::throw_errno("cannot examine " + folder.string());
    }
    if (held.st_ino == there.st_ino && held.st_dev == there.st_dev) break;
  }
  if (::fchmod(lock.descriptor(), 0755) != 0)
    common::throw_errno("cannot set the mode of " + folder.string());
  return lock;
}

void Draft::make_folder_for(const std::string& path) {
  for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
    if (!made_folders_.insert(path.substr(0, at)).second) continue;
    const fs::path folder = folder_ / path.substr(0, at);
    const fs::file_type type = fs::symlink_status(folder).type();
    if (type != fs::file_type::directory && type != fs::file_type::not_found) fs::remove(folder);
    if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST)
      common::throw_errno("cannot create " + folder.string());
    if (::chmod(folder.c_str(), 0755) != 0) common::throw_errno("cannot set the mode of " + folder.string());
  }
}

bool Draft::holds(const common::PackPath& path, std::uint64_t bytes, const common::Digest& digest) const {
  if (!resumed_) return false;
  const fs::path host = path.under(folder_);
  std::error_code none;
  if (fs::is_regular_file(fs::symlink_status(host, none)) && fs::file_size(host) == bytes &&
      common::digest_file(host).digest == digest) {
    if (::chmod(host.c_str(), 0644) != 0) common::throw_errno("cannot set the mode of " + host.string());
    return true;
  }
  fs::remove_all(host);
  return false;
}

void Draft::put(const common::PackPath& path, common::ByteView bytes, const common::Digest& digest) const {
  if (holds(path, bytes.size(), digest)) return;
  const fs::path host = path.under(folder_);
  common::File file = common::create_new(host);
  file.write_all(bytes, host);
  // The disk begins while the next file is read and hashed; publish() waits for it, and hears of its errors.
  (void)::sync_file_range(file.descriptor(), 0, 0, SYNC_FILE_RANGE_WRITE);
  file.close(host);
}

common::FileDigest Draft::put_text(const common::PackPath& path,
                                   const std::function<void(const TakeText&)>& write) const {
  constexpr std::size_t k_gathered_bytes = 1 << 20;
  const fs::path host = path.under(folder_);
  if (resumed_) fs::remove_all(host);
  common::File file = common::create_new(host);
  common::Hasher hasher;
  common::FileDigest written;
  std::string gathered;
  const auto flush = [&] {
    hasher.update(common::view_of(gathered));
    file.write_all(common::view_of(gathered), host);
    written.size += gathered.size();
    gathered.clear();
  };
  write([&](std::string_view part) {
    gathered += part;
    if (gathered.size() >= k_gathered_bytes) flush();
  });
  flush();
  file.close(host);
  written.digest = hasher.finish();
  return written;
}

void Draft::remove_all_but(const std::function<bool(const std::string&)>& is_wanted) const {
  if (!resumed_) return;
  std::vector<fs::path> folders, stale;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder_)) {
    if (entry.symlink_status().type() == fs::file_type::directory)
      folders.push_back(entry.path());
    else if (!is_wanted(entry.path().lexically_relative(folder_).generic_string()))
      stale.push_back(entry.path());
  }
  for (const fs::path& path : stale) fs::remove(path);
  // Children come after their parents in `folders`; rmdir refuses the ones that are not empty.
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) ::rmdir(folder->c_str());
}

void Draft::publish() {
  // One syncfs costs 0.1 s where an fsync for each of 900 files cost 3.5 s.
  if (::syncfs(lock_.descriptor()) != 0) common::throw_errno("cannot sync " + folder_.string());
  check_replaceable(target_);
  const bool replaces = fs::exists(target_) && !fs::is_empty(target_);
  if (!replaces) {
    rename_or_throw(folder_, target_);
  } else if (!exchange(folder_, target_)) {
    rename_or_throw(target_, retired_);
    rename_or_throw(folder_, target_);
  }
  published_ = true;
  common::sync_folder(target_.parent_path());
  if (replaces) {
    fs::remove_all(folder_);
    fs::remove_all(retired_);
  }
}

}  // namespace packer
