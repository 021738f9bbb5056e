// A folder under construction beside the place it will take: `.<name>.draft`, under the lock of that name; in
// a mount point, inside it (common/sealed/mount_place.hpp). Removed when it is dropped; left behind by a
// kill, and then taken up again by the next run. Only publish() lets it be seen.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.hpp"
#include "common/digest.hpp"
#include "common/file.hpp"
#include "common/path.hpp"
#include "common/sealed/folder.hpp"
#include "common/sealed/lock.hpp"
#include "common/sealed/mount_place.hpp"

namespace common {

// Why what stands in the target's place must not be replaced; empty: it may. Asked only where something does
// that is no empty folder.
using Replaceable = std::function<std::string(const Folder& there)>;
[[nodiscard]] Replaceable never_replaceable();

// A usage error unless `target` is absent, an empty folder, or may be replaced; in a mount point nothing is.
void check_replaceable(const std::filesystem::path& target, const Replaceable& replaceable);

// `target` as an absolute path whose last component is a name; what is published there is called so.
[[nodiscard]] std::filesystem::path resolve_target(const std::filesystem::path& target);

// A folder of one's own beside what it serves, new or left by a run that was killed; the caller holds the
// lock. Throws io where another user made it, or others may write to it: what lies in it could change at any
// moment.
struct WorkFolder {
  Folder folder;
  bool was_there = false;
  ModeSet mode_set = ModeSet::yes;
};
[[nodiscard]] WorkFolder open_work_folder(const Folder& parent, const std::string& name);

class Draft {
 public:
  // Throws usage, before anything is written, where the target must not be replaced; io where another process
  // works on it, or another user's draft is in the way.
  Draft(const std::filesystem::path& target, Replaceable replaceable);
  ~Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  [[nodiscard]] const Folder& folder() const { return *folder_; }
  [[nodiscard]] const std::filesystem::path& target() const { return target_; }

  // The folders of a file.
  void make_folder_for(const std::string& path);
  // True where a run that was killed left this very file: its bytes are read and hashed, its size alone says
  // nothing. Anything else under that name is removed. Safe from many threads.
  [[nodiscard]] bool holds(const PackPath& path, std::uint64_t bytes, const Digest& digest) const;
  // Writes a file, unless the draft holds it. Safe from many threads.
  void put(const PackPath& path, ByteView bytes, const Digest& digest) const;
  // A text, or a tar, that is made part by part and never held whole; gives what was written.
  using TakeText = std::function<void(std::string_view)>;
  FileDigest put_text(const PackPath& path, const std::function<void(const TakeText&)>& write) const;
  // Removes what a killed run left and this one does not want.
  void remove_all_but(const std::function<bool(const std::string& path)>& is_wanted) const;
  // Everything to the disk, then into the target's place, in one step where the file system can. What was
  // there is removed afterwards, under a name of its own; where it can have no other name, before. What is
  // weaker on this file system is said on stderr.
  void publish();
  // Leaves the folder for the next run.
  void keep() { kept_ = true; }

 private:
  void take();
  void finish_what_was_killed() const;
  void check_draft_is_ours() const;
  void take_place();
  void fill_mount_point();
  void replace(const Folder& there);
  void replace_in_steps(const Folder& there);
  [[noreturn]] void refuse_other() const;
  [[nodiscard]] std::string waiting_name(const Identity& removed) const;
  void put_waiting(const std::string& waiting) const;
  [[nodiscard]] std::vector<std::string> beside(std::string_view behind) const;
  void remove_retired() const;
  void forget();

  std::filesystem::path target_;
  std::string name_, draft_name_;
  Replaceable replaceable_;
  std::vector<std::filesystem::path> made_parents_;
  std::set<std::string> made_folders_;
  std::optional<MountPlace> mount_;
  std::optional<Folder> parent_;  // where the draft and the lock lie
  std::optional<Lock> lock_;
  std::optional<Folder> folder_;
  bool resumed_ = false, kept_ = false, published_ = false;
  ModeSet mode_set_ = ModeSet::yes;
};

}  // namespace common
