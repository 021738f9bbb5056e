// System calls that fail on purpose. Linked into a test program, the functions of system_calls.cpp stand
// before libc's: a call on a file below a chosen folder is counted, and the one that is asked for fails, is
// cut short, or is the last thing that the process does. Elsewhere calls pass through untouched. Nothing is
// really synced: what is tested is whether a sync that fails is noticed, and a thousand real ones would take
// minutes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace support {

enum class Fault {
  none,
  error,        // any call fails with EIO
  full,         // what takes room on the disk fails with ENOSPC, from the chosen call on
  interrupted,  // a read or write fails once with EINTR
  cut_short,    // a read or write moves only a part
  killed,       // SIGKILL in the place of the call
  changed,      // before the call, which then goes on, what was set with before_call() is done
};

struct CallCount {
  std::uint64_t eligible = 0;    // calls that the fault could have struck
  bool struck = false;           // one of them was
  bool struck_removing = false;  // it was part of removing something
  char name[16] = {};            // of the call that was struck first
};

// From now on, in this process and those that it forks: the `at`-th eligible call (from 1) below `root` is
// struck.
void arm(const std::string& root, Fault fault, std::uint64_t at);
void disarm();
// Since arm(); shared with forked processes.
[[nodiscard]] CallCount count_calls();

void before_call(std::function<void()> action);

// From now on, in this process and those that it forks: what some file systems and kernels are like.
enum class Lacks {
  nothing,
  flock_effect,  // flock says yes to everybody, as on some network file systems
  flock,         // flock is refused with ENOLCK
  exchange,      // two names cannot be exchanged
  // A folder can be removed and not renamed, with EXDEV, but for those with hidden names: as in the lower
  // layers of overlayfs.
  other_names_for_folders,
};
void make_lack(Lacks lacks);

// From now on, in this process and those that it forks: every such call fails with `code`, as it does where a
// file system has none of its kind. 0: as it is. Known are "fchmod", "flock", "fsync", "fsync of a folder",
// "linkat", "openat2", "exchange" (renameat2 of two names) and "syncfs".
void refuse_call(const std::string& name, int code);

// From now on, in this process and those that it forks: something is mounted at every folder of this name, so
// that nothing can be renamed to it or away from it. Empty: at none.
void mount_at(const std::string& name);

// From now on, in this process: every open file says that it has this mode, as on a mount with one mode for
// all. 0: as it is.
void give_every_file_mode(unsigned mode);

// From now on, every folder gives its entries in an order drawn from `seed`.
void shuffle_folders(unsigned seed);

}  // namespace support
