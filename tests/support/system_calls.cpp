#include "tests/support/system_calls.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <vector>

namespace support {
namespace {

// What a call does decides which faults can strike it.
enum class Does { look, move_bytes, take_room, remove };

struct Shared {
  std::atomic<std::uint64_t> eligible{0};
  std::atomic<bool> struck{false};
  bool struck_removing = false;
  char name[16] = {};
};

// Fixed storage only: these functions run before any constructor and inside any library.
constexpr int k_descriptor_limit = 4096;
bool g_tracked[k_descriptor_limit];
DIR* g_folders[64];
char g_root[4096];
Fault g_fault = Fault::none;
std::uint64_t g_at = 0;

Lacks g_lacks = Lacks::nothing;
unsigned g_mode_of_all = 0;
char g_refused[32] = {};
int g_refused_code = 0;
// True where every such call is refused; errno is set then.
bool refuses(const char* name) {
  if (g_refused_code == 0 || std::strcmp(g_refused, name) != 0) return false;
  errno = g_refused_code;
  return true;
}
std::function<void()> g_action;
std::optional<unsigned> g_shuffle;  // the seed
struct Entries {
  std::vector<struct dirent> left;
  struct dirent current;
};
std::map<DIR*, Entries> g_shuffled;

Shared& shared() {
  static auto* const k_shared = [] {
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    return new (memory) Shared;
  }();
  return *k_shared;
}

template <typename Function>
Function* real(Function* /*like*/, const char* name) {
  void* found = ::dlsym(RTLD_NEXT, name);
  if (found == nullptr) std::abort();
  return reinterpret_cast<Function*>(found);
}

bool tracked(const char* path) {
  return g_fault != Fault::none && path != nullptr && std::strncmp(path, g_root, std::strlen(g_root)) == 0;
}
bool tracked(int descriptor) {
  return g_fault != Fault::none && descriptor >= 0 && descriptor < k_descriptor_limit &&
         g_tracked[descriptor];
}
bool tracked(DIR* folder) {
  return g_fault != Fault::none &&
         std::find(std::begin(g_folders), std::end(g_folders), folder) != std::end(g_folders);
}
int track(int descriptor, bool is_tracked) {
  if (descriptor >= 0 && descriptor < k_descriptor_limit) g_tracked[descriptor] = is_tracked;
  return descriptor;
}
DIR* track(DIR* folder, bool is_tracked) {
  if (folder == nullptr || !is_tracked) return folder;
  if (DIR** const free = std::find(std::begin(g_folders), std::end(g_folders), nullptr);
      free != std::end(g_folders))
    *free = folder;
  return folder;
}

bool eligible(Does does) {
  switch (g_fault) {
    case Fault::error:
    case Fault::killed:
    case Fault::changed:
      return true;
    case Fault::full:
      return does == Does::take_room;
    case Fault::interrupted:
    case Fault::cut_short:
      return does == Does::move_bytes;
    case Fault::none:
      return false;
  }
  return false;
}

// True where this call is to be struck; errno is set then.
bool strikes(const char* name, Does does) {
  if (!eligible(does)) return false;
  const std::uint64_t number = shared().eligible.fetch_add(1) + 1;
  if (number != g_at && !(g_fault == Fault::full && number > g_at)) return false;
  if (!shared().struck.exchange(true)) {
    std::snprintf(shared().name, sizeof shared().name, "%s", name);
    shared().struck_removing = does == Does::remove;
  }
  if (g_fault == Fault::killed) ::kill(::getpid(), SIGKILL);
  if (g_fault == Fault::changed) {
    g_fault = Fault::none;  // the action's own calls pass through
    g_action();
    return false;
  }
  errno = g_fault == Fault::full ? ENOSPC : g_fault == Fault::interrupted ? EINTR : EIO;
  return true;
}
// A write moves bytes and takes room: which of them counts depends on the fault.
Does writing() { return g_fault == Fault::full ? Does::take_room : Does::move_bytes; }

// How many of `size` bytes to move; negative: the call fails.
ssize_t allowed(const char* name, Does does, std::size_t size) {
  if (!strikes(name, does)) return static_cast<ssize_t>(size);
  return g_fault == Fault::cut_short ? static_cast<ssize_t>((size + 1) / 2) : -1;
}

template <typename Open>
int open_tracked(const char* name, bool is_tracked, int flags, const Open& call) {
  if (is_tracked && strikes(name, (flags & O_CREAT) != 0 ? Does::take_room : Does::look)) return -1;
  return track(call(), is_tracked);
}

mode_t mode_of(int flags, std::va_list& arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

void arm(const std::string& root, Fault fault, std::uint64_t at) {
  std::snprintf(g_root, sizeof g_root, "%s", root.c_str());
  Shared& counts = shared();
  counts.eligible = 0;
  counts.struck = false;
  counts.struck_removing = false;
  counts.name[0] = '\0';
  g_at = at;
  g_fault = fault;
}

void disarm() { g_fault = Fault::none; }

void before_call(std::function<void()> action) { g_action = std::move(action); }

void make_lack(Lacks lacks) { g_lacks = lacks; }

void refuse_call(const std::string& name, int code) {
  std::snprintf(g_refused, sizeof g_refused, "%s", name.c_str());
  g_refused_code = code;
}

void give_every_file_mode(unsigned mode) { g_mode_of_all = mode; }

void shuffle_folders(unsigned seed) { g_shuffle = seed; }

// The next of all entries, which are read when the first is asked for.
struct dirent* next_shuffled(DIR* folder, struct dirent* (*read)(DIR*)) {
  const auto [at, is_new] = g_shuffled.try_emplace(folder);
  Entries& entries = at->second;
  if (is_new) {
    while (const struct dirent* entry = read(folder)) entries.left.push_back(*entry);
    std::mt19937 random(*g_shuffle);
    std::shuffle(entries.left.begin(), entries.left.end(), random);
  }
  if (entries.left.empty()) return nullptr;
  entries.current = entries.left.back();
  entries.left.pop_back();
  return &entries.current;
}

CallCount count_calls() {
  CallCount count;
  count.eligible = shared().eligible;
  count.struck = shared().struck;
  count.struck_removing = shared().struck_removing;
  std::memcpy(count.name, shared().name, sizeof count.name);
  return count;
}

}  // namespace support

using support::Does;
using support::real;
using support::strikes;
using support::track;
using support::tracked;

extern "C" {

int open(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = support::mode_of(flags, arguments);
  va_end(arguments);
  static const auto k_real = real(&open, "open");
  return support::open_tracked("open", tracked(path), flags, [&] { return k_real(path, flags, mode); });
}

int openat(int folder, const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = support::mode_of(flags, arguments);
  va_end(arguments);
  static const auto k_real = real(&openat, "openat");
  return support::open_tracked("openat", tracked(path) || tracked(folder), flags,
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
  return support::open_tracked("openat2", tracked(static_cast<int>(a[0])), static_cast<int>(how->flags),
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
  if (tracked(from_folder) && strikes("renameat", Does::take_room)) return -1;
  return k_real(from_folder, from, to_folder, to);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  static const auto k_real = real(&renameat2, "renameat2");
  if (support::g_lacks == support::Lacks::exchange && (flags & RENAME_EXCHANGE) != 0) {
    errno = EINVAL;
    return -1;
  }
  if ((flags & RENAME_EXCHANGE) != 0 && support::refuses("exchange")) return -1;
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
  if (support::g_lacks == support::Lacks::flock_effect) return 0;
  if (support::refuses("flock")) return -1;
  if (support::g_lacks == support::Lacks::flock) {
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
  if (support::g_mode_of_all != 0 && result == 0 && S_ISREG(to->st_mode))
    to->st_mode = S_IFREG | support::g_mode_of_all;
  return result;
}

int fstatat(int folder, const char* path, struct stat* to, int flags) noexcept {
  static const auto k_real = real(&fstatat, "fstatat");
  if (tracked(folder) && strikes("fstatat", Does::look)) return -1;
  return k_real(folder, path, to, flags);
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
  return support::g_shuffle ? support::next_shuffled(folder, k_real) : k_real(folder);
}

int closedir(DIR* folder) {
  static const auto k_real = real(&closedir, "closedir");
  if (support::g_shuffle) support::g_shuffled.erase(folder);
  std::replace(std::begin(support::g_folders), std::end(support::g_folders), folder,
               static_cast<DIR*>(nullptr));
  return k_real(folder);
}

}  // extern "C"
