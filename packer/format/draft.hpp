// A folder under construction beside the place it will take: `.<name>.draft`. Locked while in use; removed
// when it is dropped; left behind by a kill, and then taken up again by the next run. Only publish() lets it
// be seen.
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.hpp"
#include "common/digest.hpp"
#include "common/file.hpp"
#include "common/path.hpp"

namespace packer {

class Draft {
 public:
  // `target` must be absent, an empty folder or a pack: anything else is a usage error, before anything is
  // written.
  explicit Draft(const std::filesystem::path& target);
  ~Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] const std::filesystem::path& target() const { return target_; }

  // The folders of a file, mode 0755 whatever the umask says.
  void make_folder_for(const std::string& path);
  // True where a run that was killed left this very file: its bytes are read and hashed, its size alone says
  // nothing. Anything else under that name is removed. Safe from many threads.
  [[nodiscard]] bool holds(const common::PackPath& path, std::uint64_t bytes,
                           const common::Digest& digest) const;
  // Writes a file, unless the draft holds it. Safe from many threads.
  void put(const common::PackPath& path, common::ByteView bytes, const common::Digest& digest) const;
  // A text, or a tar, that is made part by part and never held whole; gives what was written.
  using TakeText = std::function<void(std::string_view)>;
  common::FileDigest put_text(const common::PackPath& path,
                              const std::function<void(const TakeText&)>& write) const;
  // Removes what a killed run left and this one does not want.
  void remove_all_but(const std::function<bool(const std::string& path)>& is_wanted) const;
  // Everything to the disk, then into the target's place. What was a pack there is removed.
  void publish();
  // Leaves the folder for the next run.
  void keep() { kept_ = true; }

 private:
  std::filesystem::path target_, folder_, retired_;
  std::vector<std::filesystem::path> made_parents_;
  std::set<std::string> made_folders_;
  common::File lock_;
  bool resumed_ = false, kept_ = false, published_ = false;
};

// Creates the folder, or takes the one that is there, and locks it for as long as the File lives; an io error
// where another process holds it.
enum class Found { made, was_there };
[[nodiscard]] common::File lock_folder(const std::filesystem::path& folder, Found& found);

// A usage error unless `target` is absent or an empty folder: for what must not take a pack's place.
void check_new_folder(const std::filesystem::path& target);

// `target` as an absolute path whose last component is a name; the pack is called so.
[[nodiscard]] std::filesystem::path resolve_target(const std::filesystem::path& target);

// A usage error unless `target` is absent, an empty folder, or a pack (a damaged one too) with nothing else
// in it.
void check_replaceable(const std::filesystem::path& target);

}  // namespace packer
