#include "packer/format/draft_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "common/error.hpp"

namespace packer {

DraftFile::DraftFile(std::filesystem::path target) : target_(std::move(target)) {
  draft_ = target_.parent_path() / ("." + target_.filename().string() + ".draft");
  try {
    while (!take()) {
    }
    if (::ftruncate(file_.descriptor(), 0) != 0) common::throw_errno("cannot empty " + draft_.string());
    if (::fchmod(file_.descriptor(), 0644) != 0)
      common::throw_errno("cannot set the mode of " + draft_.string());
  } catch (...) {
    // No destructor runs for what was never constructed; what was there already stays as it was.
    if (made_) ::unlink(draft_.c_str());
    throw;
  }
}

DraftFile::~DraftFile() {
  if (!published_) ::unlink(draft_.c_str());
}

bool DraftFile::take() {
  constexpr int k_flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  file_ = common::File(::open(draft_.c_str(), k_flags | O_CREAT | O_EXCL, 0644));
  made_ = file_.is_open();
  if (!made_) {
    if (errno != EEXIST) common::throw_errno("cannot create " + draft_.string());
    file_ = common::File(::open(draft_.c_str(), k_flags));
    if (!file_.is_open()) {
      if (errno == ENOENT) return false;
      common::throw_errno("cannot open " + draft_.string());
    }
  }
  if (::flock(file_.descriptor(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) common::throw_errno("cannot lock " + draft_.string());
    made_ = false;  // another took it between the two calls, and it is not ours to remove
    throw common::Error(common::ErrorKind::io,
                        draft_.string() + " is in use by another safe-packer; wait until it has ended");
  }
  struct stat held {
  }, there{};
  if (::fstat(file_.descriptor(), &held) != 0) common::throw_errno("cannot examine " + draft_.string());
  if (!S_ISREG(held.st_mode))
    throw common::Error(common::ErrorKind::io, draft_.string() + " is not a regular file; remove it");
  // Between open and lock its owner may have published it: the lock must be on what stands there now.
  if (::lstat(draft_.c_str(), &there) != 0) {
    if (errno == ENOENT) return false;
    common::throw_errno("cannot examine " + draft_.string());
  }
  return held.st_ino == there.st_ino && held.st_dev == there.st_dev;
}

void DraftFile::publish() {
  if (::rename(draft_.c_str(), target_.c_str()) != 0)
    common::throw_errno("cannot rename " + draft_.string() + " to " + target_.string());
  published_ = true;
  file_.close(target_);
  common::sync_folder(target_.has_parent_path() ? target_.parent_path() : ".");
}

}  // namespace packer
