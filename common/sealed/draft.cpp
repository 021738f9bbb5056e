#include "common/sealed/draft.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/error.hpp"
#include "common/sealed/finding.hpp"
#include "common/sealed/outside.hpp"
#include "common/sealed/weaker.hpp"

namespace common {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& target, const std::string& why) {
  throw Error(ErrorKind::usage,
              target.string() + " will not be replaced: " + why + "; name another folder or remove it");
}

// Beside the target: `.<name>.<16 hexadecimal digits>.old` is an old folder that waits to be removed.
constexpr std::string_view k_retired = ".old";
// A finished draft that waits for a place that cannot be cleared in one step. The digits are the number of
// the folder that is being removed there: no other is.
constexpr std::string_view k_waiting = ".new";

std::string name_beside(const std::string& name, const std::string& digits, std::string_view behind) {
  return "." + name + "." + digits + std::string(behind);
}
bool is_beside(const std::string& entry, const std::string& name, std::string_view behind) {
  const std::string before = "." + name + ".";
  return entry.size() == before.size() + 16 + behind.size() && entry.starts_with(before) &&
         entry.ends_with(behind) &&
         entry.find_first_not_of("0123456789abcdef", before.size()) == entry.size() - behind.size();
}

struct stat status_at(const Folder& folder, const std::string& name) {
  struct stat status {};
  if (::fstatat(folder.descriptor(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    throw_errno("cannot examine " + folder.path_of(name).string());
  return status;
}

Identity identity_at(const Folder& folder, const std::string& name) {
  const struct stat status = status_at(folder, name);
  return {status.st_dev, status.st_ino};
}

// Nothing where the target is absent, an empty folder, or a mount point that can be filled.
std::optional<Folder> open_judged(const Folder& parent, const std::string& name, const fs::path& target,
                                  const Replaceable& replaceable) {
  const auto there = parent.look(name);
  if (!there) return std::nullopt;
  if (there->kind != EntryKind::folder) refuse(target, std::string("it is ") + name_of(there->kind));
  if (MountPlace::find(parent, name)) return std::nullopt;
  Folder folder = parent.subfolder(name);
  if (folder.is_empty()) return std::nullopt;
  if (const std::string why = replaceable(folder); !why.empty()) refuse(target, why);
  return folder;
}

}  // namespace

Replaceable never_replaceable() {
  return [](const Folder&) { return std::string("it is there and not an empty folder"); };
}

void check_replaceable(const fs::path& target, const Replaceable& replaceable) {
  const fs::path whole = resolve_target(target);
  if (!fs::exists(whole.parent_path())) return;
  (void)open_judged(Folder::open(whole.parent_path()), whole.filename().string(), target, replaceable);
}

fs::path resolve_target(const fs::path& target) {
  fs::path whole = fs::absolute(target).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  if (whole.filename().empty())
    throw Error(ErrorKind::usage, target.string() + " has no name of its own; name a folder");
  return fs::weakly_canonical(whole.parent_path()) / whole.filename();
}

namespace {

// What a file made here belongs to: this user, or whom the file system makes of every user.
uid_t owner_of_new_files(const Folder& folder) {
  const std::string name = ".owner";
  folder.remove(name);
  (void)folder.create(name);
  const uid_t owner = status_at(folder, name).st_uid;
  folder.remove(name);
  return owner;
}

// Where `made` is false a killed run left it, and others must not have been able to write to it since.
Folder open_own(const Folder& parent, const std::string& name, bool made) {
  const fs::path shown = parent.path_of(name);
  if (const auto there = parent.look(name); !there || there->kind != EntryKind::folder)
    throw Error(ErrorKind::io, shown.string() + " is in the way and is not a folder; remove it");
  Folder folder = parent.subfolder(name);
  struct stat status {};
  if (::fstat(folder.descriptor(), &status) != 0) throw_errno("cannot examine " + shown.string());
  if (status.st_uid != ::geteuid() && status.st_uid != owner_of_new_files(folder))
    throw Error(ErrorKind::io, shown.string() + " belongs to another user (number " +
                                   std::to_string(status.st_uid) +
                                   "); have it removed, or name another destination");
  if (!made && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    throw Error(ErrorKind::io,
                shown.string() + " was left by another run, and others may write to it; remove it");
  return folder;
}

}  // namespace

WorkFolder open_work_folder(const Folder& parent, const std::string& name) {
  const fs::path shown = parent.path_of(name);
  const bool made = ::mkdirat(parent.descriptor(), name.c_str(), 0755) == 0;
  if (!made && errno != EEXIST) throw_errno("cannot create " + shown.string());
  try {
    Folder folder = open_own(parent, name, made);
    const ModeSet mode_set = folder.set_usual_mode();
    return {std::move(folder), !made, mode_set};
  } catch (...) {
    if (made) ::unlinkat(parent.descriptor(), name.c_str(), AT_REMOVEDIR);
    throw;
  }
}

Draft::Draft(const fs::path& target, Replaceable replaceable)
    : target_(resolve_target(target)),
      name_(target_.filename().string()),
      draft_name_("." + name_ + ".draft"),
      replaceable_(std::move(replaceable)) {
  require_outside_of_sealed(target_);
  for (fs::path parent = target_.parent_path(); !fs::exists(parent); parent = parent.parent_path())
    made_parents_.push_back(parent);
  try {
    take();
  } catch (...) {
    forget();  // no destructor runs for what was never constructed
    throw;
  }
}

void Draft::take() {
  std::error_code failure;
  fs::create_directories(target_.parent_path(), failure);
  if (failure)
    throw Error(ErrorKind::io,
                "cannot create the folder " + target_.parent_path().string() + ": " + failure.message());
  parent_ = Folder::open(target_.parent_path());
  mount_ = MountPlace::find(*parent_, name_);
  if (mount_) parent_ = open_work_folder(mount_->folder(), MountPlace::k_work_name).folder;
  // One volume may be mounted under many names, and has one lock.
  if (mount_) {
    name_ = "pack";
    draft_name_ = ".pack.draft";
  }
  lock_.emplace(*parent_, name_);
  if (mount_) {
    mount_->take_down(*parent_, draft_name_);
  } else {
    finish_what_was_killed();
    (void)open_judged(*parent_, name_, target_, replaceable_);
    remove_retired();
  }
  WorkFolder work = open_work_folder(*parent_, draft_name_);
  folder_ = std::move(work.folder);
  resumed_ = work.was_there;
  mode_set_ = work.mode_set;
}

Draft::~Draft() {
  if (!published_ && !kept_) {
    try {
      check_draft_is_ours();
      parent_->remove(draft_name_);
    } catch (const Error&) {  // the next run removes it
    }
  }
  forget();
}

void Draft::forget() {
  folder_.reset();
  lock_.reset();
  parent_.reset();
  if (mount_) (void)mount_->folder().remove_if_empty(MountPlace::k_work_name);
  if (published_ || kept_) return;
  for (const fs::path& parent : made_parents_) ::rmdir(parent.c_str());
}

// Folders of this user's. Another user's are not touched.
std::vector<std::string> Draft::beside(std::string_view behind) const {
  std::vector<std::string> names;
  for (const Entry& entry : parent_->walk(1))
    if (is_beside(entry.path, name_, behind) && status_at(*parent_, entry.path).st_uid == ::geteuid())
      names.push_back(entry.path);
  return names;
}

// A run that was killed between the two renames of the fallback left the target's place empty, and one that
// was killed while it cleared the place left a part there.
void Draft::finish_what_was_killed() const {
  for (const std::string& waiting : beside(k_waiting))
    if (!parent_->look(name_) || waiting == waiting_name(identity_at(*parent_, name_))) put_waiting(waiting);
  if (parent_->look(name_)) return;
  const std::vector<std::string> retired = beside(k_retired);
  if (!retired.empty()) parent_->rename(retired.front(), *parent_, name_);
}

// What a kill kept from being removed.
void Draft::remove_retired() const {
  for (const std::string& retired : beside(k_retired)) parent_->remove(retired);
}

void Draft::check_draft_is_ours() const {
  if (identity_at(*parent_, draft_name_) == folder_->identity()) return;
  throw Error(ErrorKind::io,
              parent_->path_of(draft_name_).string() +
                  " was replaced by another program while it was written; nothing was published");
}

void Draft::make_folder_for(const std::string& path) {
  for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
    const std::string folder = path.substr(0, at);
    if (!made_folders_.insert(folder).second) continue;
    if (resumed_)
      if (const auto there = folder_->look(folder); there && there->kind != EntryKind::folder)
        folder_->remove(folder);
    folder_->make_folder(folder);
  }
}

bool Draft::holds(const PackPath& path, std::uint64_t bytes, const Digest& digest) const {
  if (!resumed_) return false;
  const std::string& name = path.text();
  const auto there = folder_->look(name);
  if (!there) return false;
  if (there->kind == EntryKind::file && there->size == bytes) {
    const File file = folder_->open_to_read(name);
    if (digest_file(file, folder_->path_of(name), OnStop::end).digest == digest) {
      set_mode(file, 0644, folder_->path_of(name));
      return true;
    }
  }
  folder_->remove(name);
  return false;
}

void Draft::put(const PackPath& path, ByteView bytes, const Digest& digest) const {
  if (holds(path, bytes.size(), digest)) return;
  const fs::path shown = folder_->path_of(path.text());
  File file = folder_->create(path.text());
  file.write_all(bytes, shown);
  // The disk begins while the next file is read and hashed; publish() waits for it, and hears of its errors.
  (void)::sync_file_range(file.descriptor(), 0, 0, SYNC_FILE_RANGE_WRITE);
  file.close(shown);
}

FileDigest Draft::put_text(const PackPath& path, const std::function<void(const TakeText&)>& write) const {
  constexpr std::size_t k_gathered_bytes = 1 << 20;
  const fs::path shown = folder_->path_of(path.text());
  if (resumed_) folder_->remove(path.text());
  File file = folder_->create(path.text());
  Hasher hasher;
  FileDigest written;
  std::string gathered;
  const auto flush = [&] {
    hasher.update(view_of(gathered));
    file.write_all(view_of(gathered), shown);
    written.size += gathered.size();
    gathered.clear();
  };
  write([&](std::string_view part) {
    gathered += part;
    if (gathered.size() >= k_gathered_bytes) flush();
  });
  flush();
  file.close(shown);
  written.digest = hasher.finish();
  return written;
}

void Draft::remove_all_but(const std::function<bool(const std::string&)>& is_wanted) const {
  if (!resumed_) return;
  const std::vector<Entry> entries = folder_->walk();
  for (const Entry& entry : entries)
    if (entry.kind != EntryKind::folder && !is_wanted(entry.path)) folder_->remove(entry.path);
  // Children come after their parents. One at the limit of depth was not looked into: nothing wanted is
  // there.
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (entry->kind != EntryKind::folder || folder_->remove_if_empty(entry->path)) continue;
    const auto depth = std::count(entry->path.begin(), entry->path.end(), '/') + 1;
    if (depth >= Folder::k_depth_limit) folder_->remove(entry->path);
  }
}

void Draft::publish() {
  // One syncfs costs 0.1 s where an fsync for each of 900 files cost 3.5 s.
  const bool synced = ::syncfs(folder_->descriptor()) == 0;
  if (!synced && !is_not_supported(errno)) throw_errno("cannot sync " + folder_->path().string());
  check_draft_is_ours();
  if (mode_set_ == ModeSet::refused) warn_of_modes(target_);
  if (mount_)
    fill_mount_point();
  else
    take_place();
  published_ = true;
  // It is there and whole: nothing that fails from here on can make it undone.
  const Folder& place = mount_ ? mount_->folder() : *parent_;
  if (place.sync_published(target_) == Synced::not_supported || !synced) warn_of_no_sync(target_);
  if (mount_) return;
  try {
    remove_retired();
  } catch (const Error&) {  // the next run removes it
  }
}

void Draft::fill_mount_point() {
  mount_->move_up(*parent_, draft_name_);
  published_ = true;
  // What is left would be a folder that no seal lists.
  const fs::path work = parent_->path();
  const auto refuse_rest = [&](const std::string& why) {
    throw Error(ErrorKind::io, target_.string() + " is whole, but " + work.string() +
                                   " in it cannot be removed" + why + "; remove it: rm -r " + work.string());
  };
  try {
    parent_->remove(draft_name_);
    parent_->remove(MountPlace::k_list_name);
  } catch (const Error& error) {
    refuse_rest(std::string(": ") + error.what());
  }
  lock_.reset();
  if (!mount_->folder().remove_if_empty(MountPlace::k_work_name)) refuse_rest("");
}

void Draft::take_place() {
  for (;;) {
    const auto there = open_judged(*parent_, name_, target_, replaceable_);
    if (there) return replace(*there);
    // Takes the place of nothing, and of an empty folder.
    if (::renameat(parent_->descriptor(), draft_name_.c_str(), parent_->descriptor(), name_.c_str()) == 0)
      return;
    // Filled by somebody between the look and the rename.
    if (errno != ENOTEMPTY && errno != EEXIST)
      throw_errno("cannot rename " + folder_->path().string() + " to " + target_.string());
  }
}

void Draft::replace(const Folder& there) {
  if (!parent_->exchange(draft_name_, *parent_, name_)) return replace_in_steps(there);
  // What was exchanged must be what was judged: somebody without our lock may have come between.
  if (identity_at(*parent_, draft_name_) != there.identity()) {
    (void)parent_->exchange(draft_name_, *parent_, name_);
    refuse_other();
  }
  parent_->rename(draft_name_, *parent_, name_beside(name_, random_name(), k_retired));
}

// The next run finishes what a kill leaves between the steps.
void Draft::replace_in_steps(const Folder& there) {
  warn_of_two_steps(target_);
  const std::string retired = name_beside(name_, random_name(), k_retired);
  if (parent_->try_rename(name_, *parent_, retired)) {
    try {
      parent_->rename(draft_name_, *parent_, name_);
    } catch (...) {
      parent_->rename(retired, *parent_, name_);
      throw;
    }
    return;
  }
  // Under its waiting name the draft is known to be whole.
  const std::string waiting = waiting_name(there.identity());
  if (identity_at(*parent_, name_) != there.identity()) refuse_other();
  parent_->rename(draft_name_, *parent_, waiting);
  try {
    put_waiting(waiting);
  } catch (const Error& error) {
    throw Error(error.kind(), std::string(error.what()) + "; the new " + name_ + " is whole and waits as " +
                                  parent_->path_of(waiting).string() + ": the next run puts it in its place");
  }
}

void Draft::refuse_other() const {
  throw Error(
      ErrorKind::io,
      target_.string() + " was replaced by another process meanwhile; nothing was published, try again");
}

std::string Draft::waiting_name(const Identity& removed) const {
  return name_beside(name_, fmt::format("{:016x}", removed.inode), k_waiting);
}

void Draft::put_waiting(const std::string& waiting) const {
  parent_->remove(name_);
  parent_->rename(waiting, *parent_, name_);
}

}  // namespace common
