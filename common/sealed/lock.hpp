// Whoever writes something called NAME holds `.NAME.lock` beside it, from before the first look to after the
// last rename. The lock is a file of its own, so that it does not move when NAME is exchanged. flock holds it
// where flock works. Where it has no effect, as on some network file systems, which is found out by trying,
// the lock is a file that only one process can create, and that says who it was: of a process of this machine
// one can tell whether it still lives. A warning says so, but for a lock of Patience::short_wait.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/sealed/folder.hpp"

namespace common {

// What to do where another process holds the lock: say so at once, or wait a little for a write that takes no
// time.
enum class Patience { none, short_wait };

class Lock {
 public:
  // `parent` must outlive it. Throws io that says who holds it.
  Lock(const Folder& parent, const std::string& name, Patience patience = Patience::none);
  // Removes the file, then lets go.
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // The file beside `name`: ".<name>.lock".
  [[nodiscard]] static std::string file_of(const std::string& name) { return "." + name + ".lock"; }

 private:
  enum class Taken { yes, held, without_effect, try_again };
  [[nodiscard]] Taken take_by_flock();
  [[nodiscard]] Taken take_by_creating();
  [[nodiscard]] bool write_holder(const std::string& name, const std::filesystem::path& shown) const;
  [[nodiscard]] Taken try_effect() const;
  [[noreturn]] void refuse() const;

  const Folder& parent_;
  std::string name_, file_name_;
  File file_;
  bool by_creating_ = false, made_ = false;
  std::string holder_;  // what the file says, where another holds it
};

}  // namespace common
