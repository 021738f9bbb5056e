// What a pack will hold, from manifests alone: no file is looked at. Two rows never want the same path, every
// path is legal, and no two splits share an id.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/datasets/data_set.hpp"
#include "manifest/tables/coco_images.hpp"
#include "packer/format/contents.hpp"

namespace packer {

inline constexpr std::string_view k_subset_table_name = "subset_manifest.json";

// The manifests that a build read. `manifests.clips` is empty: what is packed is not known yet.
struct Tables {
  Manifests manifests;
  std::string subset_text;  // the bytes of the subset manifest, until they are in the draft
  std::uint64_t subset_bytes = 0;
  std::map<Role, common::Digest> digests;    // of each manifest that was read
  manifest::CocoImages coco;                 // of pictures whose licences are known
  std::map<Role, manifest::Recipe> recipes;  // of those that say how they were chosen, inside or beside them
};

// One clip of the subset or of the held-out clips.
struct PlannedClip {
  Role role = Role::subset_manifest;
  std::size_t row = 0;
  std::string named;  // the manifest's audio_relpath
  std::string stem;   // "audio/train/<name>": the source decides the suffix
  double start_s = 0;
  const manifest::SoundSet* data_set = nullptr;
  std::optional<ClipFacts> as_packed{};  // how it is to be made, where a recipe says that
};

// One picture; many questions may be asked about it, in one split.
struct PlannedImage {
  common::PackPath path;
  [[nodiscard]] std::string_view file_name() const {
    return std::string_view(path.text()).substr(manifest::k_image_folder.size());
  }
};

struct Plan {
  std::string name;
  Tables tables;
  std::vector<PlannedClip> clips;
  std::vector<PlannedImage> images;  // sorted by path
};

// The row that the clip was planned for.
[[nodiscard]] const manifest::ClipEntry& entry_of(const PlannedClip& clip, const Plan& plan);

// Throws mismatch that lists every clash, illegal name and leak.
[[nodiscard]] Plan plan(const std::string& pack_name, Tables tables);

}  // namespace packer
