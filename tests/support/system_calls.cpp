#include "tests/support/system_calls.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "tests/support/call_record.hpp"

using support::Does;
using support::strikes;
using support::track;
using support::tracked;

namespace {

template <typename Function>
Function* real(Function* /*like*/, const char* name) {
  void* found = ::dlsym(RTLD_NEXT, name);
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

template <typename Open>
int open_tracked(const char* name, bool is_tracked, int flags, const Open& call) {
  if (is_tracked && strikes(name, (flags & O_CREAT) != 0 ? Does::take_room : Does::look)) return -1;
  return track(call(), is_tracked);
}

mode_t mode_of(int flags, std::va_list& arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

// What a folder of a lower layer answers; one with a hidden name was made since.
bool is_layered(int folder, const char* name) {
  if (!support::lacks(support::Lacks::other_names_for_folders) || name[0] == '.') return false;
  struct stat status {};
  static const auto k_status = real(&fstatat, "fstatat");
  if (k_status(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(status.st_mode)) return false;
  errno = EXDEV;
  return true;
}

bool is_busy(const char* from, const char* to) {
  if (!support::is_mounted(from) && !support::is_mounted(to)) return false;
  errno = EBUSY;
  return true;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  static const auto k_real = real(&open, "open");
  return open_tracked("open", tracked(path), flags, [&] { return k_real(path, flags, mode); });
}

int openat(int folder, const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  static const auto k_real = real(&openat, "openat");
  return open_tracked("openat", tracked(path) || tracked(folder), flags,
                      [&] { return k_real(folder, path, flags, mode); });
}

// openat2 has no function of its own in libc.
long syscall(long number, ...) noexcept {
  std::va_list arguments;
  va_start(arguments, number);
  long a[6];
  for (long& one : a) one = va_arg(arguments, long);
  va_end(arguments);
  static const auto k_real = real(&syscall, "syscall");
  const auto call = [&] { return k_real(number, a[0], a[1], a[2], a[3], a[4], a[5]); };
  if (number != SYS_openat2) return call();
  if (support::refuses("openat2")) return -1;
  const auto* how = reinterpret_cast<const open_how*>(a[2]);
  return open_tracked("openat2", tracked(static_cast<int>(a[0])), static_cast<int>(how->flags),
                      [&] { return static_cast<int>(call()); });
}

int close(int descriptor) {
  static const auto k_real = real(&close, "close");
  const bool struck = tracked(descriptor) && strikes("close", Does::look);
  const int code = errno;
  track(descriptor, false);
  const int result = k_real(descriptor);
  if (!struck) return result;
  errno = code;
  return -1;
}

ssize_t read(int descriptor, void* to, std::size_t size) {
  static const auto k_real = real(&read, "read");
  const ssize_t count =
      tracked(descriptor) ? support::allowed("read", Does::move_bytes, size) : static_cast<ssize_t>(size);
  return count < 0 ? -1 : k_real(descriptor, to, static_cast<std::size_t>(count));
}

ssize_t pread(int descriptor, void* to, std::size_t size, off_t offset) {
  static const auto k_real = real(&pread, "pread");
  const ssize_t count =
      tracked(descriptor) ? support::allowed("pread", Does::move_bytes, size) : static_cast<ssize_t>(size);
  return count < 0 ? -1 : k_real(descriptor, to, static_cast<std::size_t>(count), offset);
}

ssize_t write(int descriptor, const void* from, std::size_t size) {
  static const auto k_real = real(&write, "write");
  const ssize_t count =
      tracked(descriptor) ? support::allowed("write", support::writing(), size) : static_cast<ssize_t>(size);
  return count < 0 ? -1 : k_real(descriptor, from, static_cast<std::size_t>(count));
}

int fsync(int descriptor) {
  struct stat status {};
  static const auto k_status = real(&fstat, "fstat");
  const bool is_folder = k_status(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
  if (support::refuses("fsync") || (is_folder && support::refuses("fsync of a folder"))) return -1;
  return tracked(descriptor) && strikes("fsync", Does::take_room) ? -1 : 0;
}
int fdatasync(int descriptor) {
  return tracked(descriptor) && strikes("fdatasync", Does::take_room) ? -1 : 0;
}
int syncfs(int descriptor) noexcept {
  if (support::refuses("syncfs")) return -1;
  return tracked(descriptor) && strikes("syncfs", Does::take_room) ? -1 : 0;
}

int rename(const char* from, const char* to) noexcept {
  static const auto k_real = real(&rename, "rename");
  if (tracked(from) && strikes("rename", Does::take_room)) return -1;
  return k_real(from, to);
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  static const auto k_real = real(&renameat, "renameat");
  if (is_busy(from, to) || is_layered(from_folder, from)) return -1;
  if (tracked(from_folder) && strikes("renameat", Does::take_room)) return -1;
  return k_real(from_folder, from, to_folder, to);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  static const auto k_real = real(&renameat2, "renameat2");
  if (support::lacks(support::Lacks::exchange) && (flags & RENAME_EXCHANGE) != 0) {
    errno = EINVAL;
    return -1;
  }
  if ((flags & RENAME_EXCHANGE) != 0 && support::refuses("exchange")) return -1;
  if (is_busy(from, to) || is_layered(from_folder, from) || is_layered(to_folder, to)) return -1;
  if ((tracked(from) || tracked(from_folder)) && strikes("renameat2", Does::take_room)) return -1;
  return k_real(from_folder, from, to_folder, to, flags);
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto k_real = real(&mkdir, "mkdir");
  if (tracked(path) && strikes("mkdir", Does::take_room)) return -1;
  return k_real(path, mode);
}

int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  static const auto k_real = real(&mkdirat, "mkdirat");
  if (tracked(folder) && strikes("mkdirat", Does::take_room)) return -1;
  return k_real(folder, path, mode);
}

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  static const auto k_real = real(&linkat, "linkat");
  if (support::refuses("linkat")) return -1;
  if (tracked(from_folder) && strikes("linkat", Does::take_room)) return -1;
  return k_real(from_folder, from, to_folder, to, flags);
}

int chmod(const char* path, mode_t mode) noexcept {
  static const auto k_real = real(&chmod, "chmod");
  if (tracked(path) && strikes("chmod", Does::look)) return -1;
  return k_real(path, mode);
}

int fchmod(int descriptor, mode_t mode) noexcept {
  static const auto k_real = real(&fchmod, "fchmod");
  if (support::refuses("fchmod")) return -1;
  if (tracked(descriptor) && strikes("fchmod", Does::look)) return -1;
  return k_real(descriptor, mode);
}

int ftruncate(int descriptor, off_t size) noexcept {
  static const auto k_real = real(&ftruncate, "ftruncate");
  if (tracked(descriptor) && strikes("ftruncate", Does::look)) return -1;
  return k_real(descriptor, size);
}

int flock(int descriptor, int operation) noexcept {
  static const auto k_real = real(&flock, "flock");
  if (support::lacks(support::Lacks::flock_effect)) return 0;
  if (support::refuses("flock")) return -1;
  if (support::lacks(support::Lacks::flock)) {
    errno = ENOLCK;
    return -1;
  }
  if (tracked(descriptor) && strikes("flock", Does::look)) return -1;
  return k_real(descriptor, operation);
}

int stat(const char* path, struct stat* to) noexcept {
  static const auto k_real = real(static_cast<int (*)(const char*, struct stat*)>(&stat), "stat");
  if (tracked(path) && strikes("stat", Does::look)) return -1;
  return k_real(path, to);
}

int lstat(const char* path, struct stat* to) noexcept {
  static const auto k_real = real(&lstat, "lstat");
  if (tracked(path) && strikes("lstat", Does::look)) return -1;
  return k_real(path, to);
}

int fstat(int descriptor, struct stat* to) noexcept {
  static const auto k_real = real(&fstat, "fstat");
  if (tracked(descriptor) && strikes("fstat", Does::look)) return -1;
  const int result = k_real(descriptor, to);
  if (support::mode_of_all() != 0 && result == 0 && S_ISREG(to->st_mode))
    to->st_mode = S_IFREG | support::mode_of_all();
  return result;
}

int fstatat(int folder, const char* path, struct stat* to, int flags) noexcept {
  static const auto k_real = real(&fstatat, "fstatat");
  if (tracked(folder) && strikes("fstatat", Does::look)) return -1;
  return k_real(folder, path, to, flags);
}

int statx(int folder, const char* path, int flags, unsigned mask, struct statx* to) noexcept {
  static const auto k_real =
      real(static_cast<int (*)(int, const char*, int, unsigned, struct statx*)>(&statx), "statx");
  if (tracked(folder) && strikes("statx", Does::look)) return -1;
  const int result = k_real(folder, path, flags, mask, to);
  if (result == 0 && support::is_mounted(path)) to->stx_attributes |= STATX_ATTR_MOUNT_ROOT;
  return result;
}

int unlink(const char* path) noexcept {
  static const auto k_real = real(&unlink, "unlink");
  if (tracked(path) && strikes("unlink", Does::remove)) return -1;
  return k_real(path);
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  static const auto k_real = real(&unlinkat, "unlinkat");
  if ((tracked(path) || tracked(folder)) && strikes("unlinkat", Does::remove)) return -1;
  return k_real(folder, path, flags);
}

int remove(const char* path) noexcept {
  static const auto k_real = real(&remove, "remove");
  if (tracked(path) && strikes("remove", Does::remove)) return -1;
  return k_real(path);
}

int rmdir(const char* path) noexcept {
  static const auto k_real = real(&rmdir, "rmdir");
  if (tracked(path) && strikes("rmdir", Does::remove)) return -1;
  return k_real(path);
}

DIR* opendir(const char* path) {
  static const auto k_real = real(&opendir, "opendir");
  if (tracked(path) && strikes("opendir", Does::look)) return nullptr;
  return track(k_real(path), tracked(path));
}

DIR* fdopendir(int descriptor) {
  static const auto k_real = real(&fdopendir, "fdopendir");
  if (tracked(descriptor) && strikes("fdopendir", Does::look)) return nullptr;
  return track(k_real(descriptor), tracked(descriptor));
}

struct dirent* readdir(DIR* folder) {
  static const auto k_real = real(&readdir, "readdir");
  if (tracked(folder) && strikes("readdir", Does::look)) return nullptr;
  return support::next_entry(folder, k_real);
}

int closedir(DIR* folder) {
  static const auto k_real = real(&closedir, "closedir");
  support::forget(folder);
  return k_real(folder);
}

}  // extern "C"
