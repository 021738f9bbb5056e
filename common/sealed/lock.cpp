#include "common/sealed/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <thread>

#include "common/error.hpp"
#include "common/program.hpp"
#include "common/sealed/finding.hpp"
#include "common/sealed/weaker.hpp"

namespace common {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t k_holder_bytes = 512;
constexpr std::chrono::seconds k_short_wait{20};
constexpr std::chrono::milliseconds k_pause{5};

std::string text_of_file(const char* path) {
  const File file(::open(path, O_RDONLY | O_CLOEXEC));
  char text[4096];
  const ssize_t got = file.is_open() ? ::read(file.descriptor(), text, sizeof text) : -1;
  std::string all(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!all.empty() && all.back() == '\n') all.pop_back();
  return all;
}

// When the process began, in ticks since boot: a process number is given again, this pair is not.
std::string start_of(const std::string& pid) {
  const std::string stat = text_of_file(("/proc/" + pid + "/stat").c_str());
  std::size_t at = stat.rfind(')');  // the program's name may hold anything
  if (at == std::string::npos) return "";
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  return at == std::string::npos ? "" : stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

// The machine as one can name it to others, and as processes of it can compare it: one boot of one kernel and
// one space of process numbers (containers have their own).
std::string machine() {
  char host[256] = {};
  (void)::gethostname(host, sizeof host - 1);
  char space[64] = {};
  (void)::readlink("/proc/self/ns/pid", space, sizeof space - 1);
  return std::string(host) + " " + text_of_file("/proc/sys/kernel/random/boot_id") + " " + space;
}

// "<pid> <start> <host> <boot> <pid space>\n"
std::string describe_self() {
  const std::string pid = std::to_string(::getpid());
  return pid + " " + start_of(pid) + " " + machine() + "\n";
}

struct Holder {
  std::string pid, start, machine;
};
Holder parse_holder(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const std::size_t first = text.find(' ');
  const std::size_t second = first == std::string::npos ? first : text.find(' ', first + 1);
  if (second == std::string::npos) return {};
  return {text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
}

// Known to be gone: a process of another machine never is.
bool is_gone(const Holder& holder) {
  return !holder.pid.empty() && holder.machine == machine() &&
         holder.pid.find_first_not_of("0123456789") == std::string::npos &&
         start_of(holder.pid) != holder.start;
}

std::string read_at(int folder, const char* name) {
  const File file(::openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  char text[k_holder_bytes];
  const ssize_t got = file.is_open() ? ::pread(file.descriptor(), text, sizeof text, 0) : -1;
  return {text, got > 0 ? static_cast<std::size_t>(got) : 0};
}

}  // namespace

Lock::Lock(const Folder& parent, const std::string& name, Patience patience)
    : parent_(parent), name_(name), file_name_(file_of(name)) {
  const Clock::time_point until =
      Clock::now() + (patience == Patience::short_wait ? k_short_wait : std::chrono::seconds(0));
  for (;;) {
    Taken taken = Taken::try_again;
    try {
      taken = by_creating_ ? take_by_creating() : take_by_flock();
    } catch (...) {
      // No destructor runs for what was never constructed; what was there already stays.
      if (made_) ::unlinkat(parent_.descriptor(), file_of(name_).c_str(), 0);
      throw;
    }
    if (taken == Taken::yes) {
      // One that is held for a moment, many times a run, is not worth a sentence.
      if (by_creating_ && patience == Patience::none) warn_of_held_file(parent_.path_of(file_name_));
      return;
    }
    if (taken == Taken::without_effect) {
      by_creating_ = true;
      continue;
    }
    file_ = File();
    if (taken == Taken::try_again) continue;
    if (Clock::now() >= until) {
      // What flock was tried on; where it has no effect it is nobody's.
      if (by_creating_) ::unlinkat(parent_.descriptor(), file_of(name_).c_str(), 0);
      refuse();
    }
    throw_if_stop_requested();
    std::this_thread::sleep_for(k_pause);
  }
}

Lock::~Lock() {
  // Under the lock: a process that has opened the file already finds that its name is gone, and opens again.
  ::unlinkat(parent_.descriptor(), file_name_.c_str(), 0);
}

void Lock::refuse() const {
  const fs::path shown = parent_.path_of(file_name_);
  const Holder holder = parse_holder(holder_);
  std::string who = "another process";
  if (!holder.pid.empty())
    who = "process " + holder.pid + " on " +
          escape_for_terminal(holder.machine.substr(0, holder.machine.find(' ')));
  std::string remedy = "; wait until it has ended";
  if (by_creating_)
    remedy +=
        ", or remove " + shown.string() + " if it is gone (file locks have no effect on this file system)";
  throw Error(ErrorKind::io, parent_.path_of(name_).string() + " is in use by " + who + remedy);
}

// A second opening of the same file must not get the lock that the first one holds.
Lock::Taken Lock::try_effect() const {
  const File again(::openat(parent_.descriptor(), file_name_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!again.is_open()) return Taken::try_again;  // removed by one that was here before
  return ::flock(again.descriptor(), LOCK_EX | LOCK_NB) == 0 ? Taken::without_effect : Taken::yes;
}

Lock::Taken Lock::take_by_flock() {
  const fs::path shown = parent_.path_of(file_name_);
  const int folder = parent_.descriptor();
  constexpr int k_flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  file_ = File(::openat(folder, file_name_.c_str(), O_RDWR | O_CREAT | O_EXCL | k_flags, 0644));
  made_ = file_.is_open();
  // The folder itself is gone: there will never be a lock in it.
  if (!made_ && errno == ENOENT) throw_errno("cannot create the lock " + shown.string());
  if (!made_ && errno == EEXIST) file_ = File(::openat(folder, file_name_.c_str(), O_RDWR | k_flags));
  const bool writes = file_.is_open();
  // Left by another user of a shared folder: to be locked, it need not be written to.
  if (!writes && errno == EACCES) file_ = File(::openat(folder, file_name_.c_str(), O_RDONLY | k_flags));
  if (!file_.is_open()) {
    if (errno == ENOENT) return Taken::try_again;
    throw_errno("cannot create the lock " + shown.string());
  }
  struct stat held {
  }, there{};
  if (::fstat(file_.descriptor(), &held) != 0) throw_errno("cannot examine " + shown.string());
  if (!S_ISREG(held.st_mode) || held.st_nlink > 1)
    throw Error(ErrorKind::io, shown.string() + " is not a lock of this program; remove it");
  if (::flock(file_.descriptor(), LOCK_EX | LOCK_NB) != 0) {
    // ENOLCK: NFS whose server runs no lockd. EPERM, EACCES: a sandbox that forbids the call.
    if (is_not_supported(errno) || errno == ENOLCK || errno == EPERM || errno == EACCES)
      return Taken::without_effect;
    if (errno == EINTR) return Taken::try_again;
    if (errno != EWOULDBLOCK) throw_errno("cannot lock " + shown.string());
    made_ = false;  // another took it between the two calls, and it is not ours to remove
    holder_ = read_at(folder, file_name_.c_str());
    return Taken::held;
  }
  // Between open and lock its owner may have removed it: the lock must be on what stands there now.
  if (::fstatat(folder, file_name_.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return Taken::try_again;
    throw_errno("cannot examine " + shown.string());
  }
  if (held.st_ino != there.st_ino || held.st_dev != there.st_dev) return Taken::try_again;
  if (const Taken taken = try_effect(); taken != Taken::yes) return taken;
  // For the message of who comes second; a full disk does not matter.
  if (writes && held.st_uid == ::geteuid()) {
    const std::string self = describe_self();
    if (::ftruncate(file_.descriptor(), 0) == 0)
      (void)!::pwrite(file_.descriptor(), self.data(), self.size(), 0);
  }
  return Taken::yes;
}

// A new file that says who holds the lock; false where one of that name is there.
bool Lock::write_holder(const std::string& name, const fs::path& shown) const {
  const int folder = parent_.descriptor();
  File file(::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.is_open() && errno == EEXIST) return false;
  if (!file.is_open()) throw_errno("cannot create the lock " + shown.string());
  try {
    const std::string self = describe_self();
    file.write_all(view_of(self), shown);
    file.close(shown);
  } catch (...) {
    ::unlinkat(folder, name.c_str(), 0);
    throw;
  }
  return true;
}

// Another name than flock's: what stands there was created whole by exactly one process.
Lock::Taken Lock::take_by_creating() {
  file_name_ = "." + name_ + ".held";
  const int folder = parent_.descriptor();
  const fs::path shown = parent_.path_of(file_name_);
  const std::string draft = file_name_ + "." + random_name();
  (void)write_holder(draft, shown);
  bool made = ::linkat(folder, draft.c_str(), folder, file_name_.c_str(), 0) == 0;
  int code = made ? 0 : errno;
  ::unlinkat(folder, draft.c_str(), 0);
  // No hard links either, as on FAT and some FUSE: then it is not whole from its first moment, and one that
  // is still empty counts as held.
  if (!made && (is_not_supported(code) || code == EPERM || code == EACCES || code == EMLINK)) {
    made = write_holder(file_name_, shown);
    code = EEXIST;
  }
  if (made) {
    // What flock was tried on, and drafts of locks that a kill left; nobody's any more.
    ::unlinkat(folder, file_of(name_).c_str(), 0);
    for (const Entry& entry : parent_.walk(1))
      if (entry.path.starts_with(file_name_ + ".")) ::unlinkat(folder, entry.path.c_str(), 0);
    return Taken::yes;
  }
  if (code == ENOENT) return Taken::try_again;  // the holder took our draft for one of those
  errno = code;
  if (code != EEXIST) throw_errno("cannot create the lock " + shown.string());
  holder_ = read_at(folder, file_name_.c_str());
  if (holder_.empty()) return Taken::held;
  if (!is_gone(parse_holder(holder_))) return Taken::held;
  // Of several that found it dead one gets the name; what it got must still be what it read.
  const std::string mine = draft + ".gone";
  if (::renameat(folder, file_name_.c_str(), folder, mine.c_str()) != 0) return Taken::try_again;
  if (read_at(folder, mine.c_str()) != holder_)
    (void)::linkat(folder, mine.c_str(), folder, file_name_.c_str(), 0);
  ::unlinkat(folder, mine.c_str(), 0);
  return Taken::try_again;
}

}  // namespace common
