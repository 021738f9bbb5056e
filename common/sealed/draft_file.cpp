#include "common/sealed/draft_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "common/error.hpp"
#include "common/sealed/outside.hpp"
#include "common/sealed/weaker.hpp"

namespace common {
namespace {

namespace fs = std::filesystem;

std::string name_of_file(const fs::path& target) {
  std::string name = target.filename().string();
  if (name.empty() || name == "." || name == "..")
    throw Error(ErrorKind::usage, target.string() + " is not a file name; name a file");
  return name;
}

Folder open_parent(const fs::path& target) {
  require_outside_of_sealed(target);
  const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::error_code ignored;
  if (!fs::is_directory(parent, ignored) && !fs::exists(fs::symlink_status(parent, ignored)))
    throw Error(ErrorKind::io, "cannot write " + target.string() + ": there is no folder " + parent.string() +
                                   "; create it (mkdir -p), or name a file elsewhere");
  return Folder::open(target.parent_path());
}

// A run that was killed left it. Its name alone is removed: it may be one more name of another file.
void remove_leftover(const Folder& parent, const std::string& draft) {
  const auto there = parent.look(draft);
  if (!there) return;
  if (there->kind == EntryKind::folder)
    throw Error(ErrorKind::io,
                parent.path_of(draft).string() + " is in the way and is not a file; remove it");
  parent.remove(draft);
}

}  // namespace

DraftFile::DraftFile(const fs::path& target, Patience patience)
    : target_(target),
      parent_(open_parent(target)),
      patience_(patience),
      lock_(parent_, name_of_file(target), patience),
      draft_name_("." + target.filename().string() + ".draft") {
  if (parent_.is_mount_point(target.filename().string()))
    throw Error(ErrorKind::usage, target.string() +
                                      " is mounted by itself (a bind mount), and nothing can be put in its "
                                      "place; mount its folder instead, or name another file");
  remove_leftover(parent_, draft_name_);
  file_ = parent_.create(draft_name_);
}

DraftFile::~DraftFile() {
  if (!published_) ::unlinkat(parent_.descriptor(), draft_name_.c_str(), 0);
}

void DraftFile::publish(Durability durability) {
  struct stat ours {
  }, there{};
  if (::fstat(file_.descriptor(), &ours) != 0 ||
      ::fstatat(parent_.descriptor(), draft_name_.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0)
    throw_errno("cannot examine " + parent_.path_of(draft_name_).string());
  if (ours.st_ino != there.st_ino || ours.st_dev != there.st_dev)
    throw Error(ErrorKind::io,
                parent_.path_of(draft_name_).string() +
                    " was replaced by another program while it was written; nothing was published");
  // Once more, to learn whether it is refused.
  const ModeSet mode_set = set_mode(file_, 0644, target_);
  file_.close(target_);
  parent_.rename(draft_name_, parent_, target_.filename().string());
  published_ = true;
  if (durability == Durability::none) return;
  const Synced folder = parent_.sync_published(target_);
  // Not of what is written again and again, which is what waits for its lock.
  if (patience_ != Patience::none) return;
  if (folder == Synced::not_supported || synced_ == Synced::not_supported) warn_of_no_sync(target_);
  if (mode_set == ModeSet::refused) warn_of_modes(target_);
}

void write_file(const fs::path& path, ByteView bytes) {
  DraftFile file(path, Patience::short_wait);
  file.write(bytes);
  file.finish();
  file.publish();
}

}  // namespace common
