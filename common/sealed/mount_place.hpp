// An empty mount point as the place of a draft. Nothing can be renamed to where something is mounted: the
// draft lies in a hidden folder inside, with its lock, and its entries are moved up one by one, the seal
// last, so that what is half up is no pack and no run. The next run takes down what a kill left half up, and
// goes on from it as from any draft.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "common/sealed/folder.hpp"

namespace common {

class MountPlace {
 public:
  // Nothing: `name` is no folder where something is mounted. Throws usage, before anything is written, where
  // it is not empty; with a work folder in it only the holder of the lock can tell.
  [[nodiscard]] static std::optional<MountPlace> find(const Folder& parent, const std::string& name);

  [[nodiscard]] const Folder& folder() const { return folder_; }
  // Where the draft and its lock lie; the holder of the lock calls what follows.
  static constexpr const char* k_work_name = ".safe-packs";
  // In it while entries are moved: the number and the name of each, in the order in which they go up.
  static constexpr const char* k_list_name = "moving";
  // What a killed run had moved up becomes the draft `draft_name` again. Throws usage where more is there.
  void take_down(const Folder& work, const std::string& draft_name) const;
  // All of the draft. An error takes down again what was up; else the list stays, until the caller has
  // removed what a next run could not go on from.
  void move_up(const Folder& work, const std::string& draft_name) const;

 private:
  explicit MountPlace(Folder folder) : folder_(std::move(folder)) {}
  void check_free() const;

  Folder folder_;
};

}  // namespace common
