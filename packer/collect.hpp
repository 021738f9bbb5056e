// Where each planned file's source lies. Everything that is missing is known before the first byte is copied.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "packer/plan.hpp"

namespace packer {

struct SourceRoots {
  std::filesystem::path sounds;               // holds audio/<split>/
  std::vector<std::filesystem::path> images;  // each searched in the places that COCO is unpacked to
};

enum class Missing { refuse, allow };

struct Collection {
  Plan plan;
  std::vector<std::optional<std::filesystem::path>> clip_sources;   // beside plan.clips
  std::vector<std::optional<std::filesystem::path>> image_sources;  // beside plan.images
};

// Throws mismatch that lists all that is missing, unless it is allowed.
[[nodiscard]] Collection collect(Plan plan, const SourceRoots& roots, Missing missing);

}  // namespace packer
