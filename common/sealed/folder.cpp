#include "common/sealed/folder.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "common/error.hpp"
#include "common/terminal.hpp"
#include "common/unfetched.hpp"

namespace common {
namespace {

namespace fs = std::filesystem;

// Names inside a folder are ours or were listed; one that climbs out is a mistake of this program.
void check_inside(const std::string& inside) {
  ENSURE(!inside.empty() && inside.front() != '/' && inside.find('\0') == std::string::npos);
  for (std::size_t at = 0; at <= inside.size();) {
    const std::size_t end = std::min(inside.find('/', at), inside.size());
    ENSURE(inside.compare(at, end - at, "..") != 0);
    at = end + 1;
  }
}

}  // namespace

std::string random_name() {
  std::uint8_t bytes[8];
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) throw_errno("cannot draw a name");
  return to_hex(bytes);
}

ModeSet set_mode(const File& file, mode_t mode, const fs::path& name) {
  if (::fchmod(file.descriptor(), mode) == 0) return ModeSet::yes;
  if (is_mode_refused(errno)) return ModeSet::refused;
  throw_errno("cannot set the mode of " + name.string());
}

namespace {

// As an ordinary folder, whatever the umask says; one in a folder with setgid keeps the bit, so that what is
// made in it belongs to the same group.
ModeSet set_folder_mode(const File& folder, const fs::path& name) {
  struct stat status {};
  const bool has_status = ::fstat(folder.descriptor(), &status) == 0;
  return set_mode(folder, 0755U | (has_status ? status.st_mode & S_ISGID : 0U), name);
}

// A file that comes from elsewhere belongs to the folder's group where what is made there would. Who may not
// give it away leaves it as it is.
void take_group(int from, const char* name, int folder) {
  struct stat ours {
  }, theirs{};
  if (::fstatat(from, name, &ours, AT_SYMLINK_NOFOLLOW) != 0 || ::fstat(folder, &theirs) != 0) return;
  if (S_ISREG(ours.st_mode) && (theirs.st_mode & S_ISGID) != 0 && ours.st_gid != theirs.st_gid)
    (void)!::fchownat(from, name, static_cast<uid_t>(-1), theirs.st_gid, AT_SYMLINK_NOFOLLOW);
}

}  // namespace

Folder Folder::open(const fs::path& path) {
  File file(::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.is_open()) {
    const int code = errno;
    if (const std::string why = why_unfetched(path); !why.empty())
      throw Error(ErrorKind::io, path.string() + " " + why);
    if (code == ENOTDIR) throw Error(ErrorKind::io, path.string() + " is not a folder; name a folder");
    errno = code;
    throw_errno("cannot open the folder " + path.string());
  }
  return {std::move(file), path};
}

Folder Folder::subfolder(const std::string& inside) const {
  File file(open_beneath(inside, O_RDONLY | O_DIRECTORY, 0));
  if (!file.is_open()) throw_errno("cannot open the folder " + path_of(inside).string());
  return {std::move(file), path_of(inside)};
}

Identity Folder::identity() const {
  struct stat status {};
  if (::fstat(descriptor(), &status) != 0) throw_errno("cannot examine " + path_.string());
  return {status.st_dev, status.st_ino};
}

// -1 with errno where it cannot be opened.
int Folder::open_beneath(const std::string& inside, int flags, mode_t mode) const {
  check_inside(inside);
  flags |= O_CLOEXEC | O_NOFOLLOW;
  static std::atomic<bool> has_openat2{true};
  if (has_openat2) {
    struct open_how how {};
    how.flags = static_cast<std::uint64_t>(flags);
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    for (;;) {
      const long result = ::syscall(SYS_openat2, descriptor(), inside.c_str(), &how, sizeof how);
      if (result >= 0) return static_cast<int>(result);
      // EAGAIN: something was renamed at that moment, and the kernel could not be sure to stay beneath.
      if (errno == EAGAIN) continue;
      // EPERM: a sandbox that does not know the call, as old container runtimes answer.
      if (errno != ENOSYS && errno != EPERM) return -1;
      break;
    }
    if (errno == ENOSYS) has_openat2 = false;
  }
  File folder;
  int at = descriptor();
  std::size_t begin = 0;
  for (std::size_t end; (end = inside.find('/', begin)) != std::string::npos; begin = end + 1) {
    File next(::openat(at, inside.substr(begin, end - begin).c_str(), k_folder_flags));
    if (!next.is_open()) return -1;
    folder = std::move(next);
    at = folder.descriptor();
  }
  return ::openat(at, inside.substr(begin).c_str(), flags, mode);
}

Folder::Place Folder::place_of(const std::string& inside) const {
  check_inside(inside);
  const std::size_t slash = inside.rfind('/');
  if (slash == std::string::npos) return {File(), descriptor(), inside};
  File folder(open_beneath(inside.substr(0, slash), O_RDONLY | O_DIRECTORY, 0));
  const int opened = folder.descriptor();
  return {std::move(folder), opened, inside.substr(slash + 1)};
}

std::optional<Entry> Folder::look(const std::string& inside) const {
  const Place place = place_of(inside);
  if (place.descriptor < 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return std::nullopt;
    throw_errno("cannot examine " + path_of(inside).string());
  }
  return entry_at(place.descriptor, place.name, inside, path_of(inside));
}

bool Folder::is_mount_point(const std::string& inside) const {
  struct statx status {};
  const Place place = place_of(inside);
  if (::statx(place.descriptor, place.name.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &status) != 0)
    return false;
  return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

Synced Folder::sync_published(const fs::path& what) const {
  try {
    return sync();
  } catch (const Error& error) {
    print_line(stderr,
               "warning: " + what.string() +
                   " is in its place and whole, but may be lost if the machine fails now: " + error.what());
    return Synced::yes;  // nothing more is to be said
  }
}

bool Folder::has_file(const std::string& inside) const {
  const auto entry = look(inside);
  return entry && entry->kind == EntryKind::file;
}

std::vector<Entry> Folder::walk(int depth_limit) const {
  return list_entries(descriptor(), path_, depth_limit);
}

bool Folder::is_empty() const { return is_empty_folder(descriptor(), path_); }

File Folder::open_to_read(const std::string& inside) const {
  const fs::path shown = path_of(inside);
  // O_NONBLOCK: opening a FIFO without a writer would hang for ever; on regular files it changes nothing.
  File file(open_beneath(inside, O_RDONLY | O_NONBLOCK, 0));
  if (!file.is_open()) {
    if (errno == ELOOP)
      throw Error(ErrorKind::io,
                  shown.string() + " is a symlink, or lies behind one; replace it by the file");
    throw_errno("cannot open " + shown.string());
  }
  check_regular(file, shown);
  return file;
}

File Folder::open_linked(const std::string& inside) const {
  check_inside(inside);
  const fs::path shown = path_of(inside);
  File file(::openat(descriptor(), inside.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) {
    const int code = errno;
    if (const std::string why = why_unfetched(shown); !why.empty())
      throw Error(ErrorKind::io, shown.string() + " " + why);
    errno = code;
    throw_errno("cannot open " + shown.string());
  }
  check_regular(file, shown);
  check_fetched(file, shown);
  return file;
}

Bytes Folder::read(const std::string& inside, std::uint64_t limit_bytes) const {
  return read_file(open_to_read(inside), path_of(inside), limit_bytes);
}

std::string Folder::read_text(const std::string& inside, std::uint64_t limit_bytes) const {
  const Bytes bytes = read(inside, limit_bytes);
  return std::string(text_of(bytes));
}

FileDigest Folder::digest_of(const std::string& inside) const {
  return digest_file(open_to_read(inside), path_of(inside));
}

File Folder::create(const std::string& inside) const {
  File file(open_beneath(inside, O_WRONLY | O_CREAT | O_EXCL, 0644));
  if (!file.is_open()) throw_errno("cannot create " + path_of(inside).string());
  try {
    common::set_mode(file, 0644, path_of(inside));
  } catch (...) {
    remove(inside);
    throw;
  }
  return file;
}

File Folder::open_to_append(const std::string& inside) const {
  const fs::path shown = path_of(inside);
  File file(open_beneath(inside, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK, 0644));
  if (!file.is_open()) throw_errno("cannot open " + shown.string());
  check_regular(file, shown);
  return file;
}

bool Folder::make_new_folder(const std::string& name) const {
  check_inside(name);
  if (::mkdirat(descriptor(), name.c_str(), 0755) == 0) {
    set_folder_mode(subfolder(name).file_, path_of(name));
    return true;
  }
  if (errno == EEXIST) return false;
  throw_errno("cannot create the folder " + path_of(name).string());
}

void Folder::make_folder(const std::string& inside) const {
  check_inside(inside);
  File held;
  int at = descriptor();
  for (std::size_t begin = 0; begin < inside.size();) {
    const std::size_t end = std::min(inside.find('/', begin), inside.size());
    const std::string name = inside.substr(begin, end - begin);
    const fs::path shown = path_of(inside.substr(0, end));
    const bool made = ::mkdirat(at, name.c_str(), 0755) == 0;
    if (!made && errno != EEXIST) throw_errno("cannot create the folder " + shown.string());
    File next(::openat(at, name.c_str(), k_folder_flags));
    if (!next.is_open()) throw_errno("cannot create the folder " + shown.string());
    if (made) set_folder_mode(next, shown);
    held = std::move(next);
    at = held.descriptor();
    begin = end + 1;
  }
}

void Folder::write(const std::string& inside, ByteView bytes) const {
  const std::size_t slash = inside.rfind('/');
  const std::string draft = (slash == std::string::npos ? "" : inside.substr(0, slash + 1)) + "." +
                            inside.substr(slash == std::string::npos ? 0 : slash + 1) + ".draft";
  remove(draft);
  try {
    File file = create(draft);
    file.write_all(bytes, path_of(draft));
    file.sync(path_of(draft));
    file.close(path_of(draft));
    rename(draft, *this, inside);
  } catch (...) {
    const Place place = place_of(draft);
    if (place.descriptor >= 0) ::unlinkat(place.descriptor, place.name.c_str(), 0);
    throw;
  }
  try {
    if (slash == std::string::npos)
      sync();
    else
      subfolder(inside.substr(0, slash)).sync();
  } catch (const Error& error) {
    throw Error(ErrorKind::io,
                path_of(inside).string() +
                    " is in its place and whole, but may be lost if the machine fails now: " + error.what());
  }
}

bool Folder::try_rename(const std::string& inside, const Folder& to, const std::string& to_inside) const {
  const Place from_place = place_of(inside), to_place = to.place_of(to_inside);
  if (from_place.descriptor >= 0 && to_place.descriptor >= 0) {
    if (&to != this) take_group(from_place.descriptor, from_place.name.c_str(), to_place.descriptor);
    if (::renameat(from_place.descriptor, from_place.name.c_str(), to_place.descriptor,
                   to_place.name.c_str()) == 0)
      return true;
    if (errno == EXDEV) return false;
  }
  throw_errno("cannot rename " + path_of(inside).string() + " to " + to.path_of(to_inside).string());
}

void Folder::rename(const std::string& inside, const Folder& to, const std::string& to_inside) const {
  if (try_rename(inside, to, to_inside)) return;
  throw Error(ErrorKind::io, "cannot rename " + path_of(inside).string() + " to " +
                                 to.path_of(to_inside).string() +
                                 ": they lie on two file systems, or it is a folder of a container image; "
                                 "copy the whole folder (cp -r), and name the copy");
}

bool Folder::exchange(const std::string& inside, const Folder& to, const std::string& to_inside) const {
  const Place from_place = place_of(inside), to_place = to.place_of(to_inside);
  if (from_place.descriptor >= 0 && to_place.descriptor >= 0) {
    if (::renameat2(from_place.descriptor, from_place.name.c_str(), to_place.descriptor,
                    to_place.name.c_str(), RENAME_EXCHANGE) == 0)
      return true;
    // EXDEV: a folder of a lower layer of overlayfs.
    if (is_not_supported(errno) || errno == EXDEV) return false;
  }
  throw_errno("cannot put " + path_of(inside).string() + " in the place of " +
              to.path_of(to_inside).string());
}

void Folder::remove(const std::string& inside) const {
  const Place place = place_of(inside);
  if (place.descriptor >= 0) return remove_entry(place.descriptor, place.name, path_of(inside));
  if (errno != ENOENT) throw_errno("cannot remove " + path_of(inside).string());
}

bool Folder::remove_if_empty(const std::string& inside) const {
  const Place place = place_of(inside);
  return place.descriptor >= 0 && ::unlinkat(place.descriptor, place.name.c_str(), AT_REMOVEDIR) == 0;
}

ModeSet Folder::set_usual_mode() const { return set_folder_mode(file_, path_); }

Synced Folder::sync() const {
  if (::fsync(descriptor()) == 0) return Synced::yes;
  // EBADF: one that syncs only what was opened to be written, which a folder never is.
  if (is_not_supported(errno) || errno == EBADF || errno == EISDIR) return Synced::not_supported;
  throw_errno("cannot sync " + path_.string());
}

}  // namespace common
