// Judging manifests: what stands in two splits that must share nothing (images, questions and clips, in
// whatever kinds of manifest they stand and from whatever years or splits they come), ids that stand twice,
// files whose names belong to other ids, majority answers that are not the majority, texts that models take
// for tokens. Everything is listed, in a fixed order; an empty list says that all is well.
#pragma once

#include <string>
#include <vector>

#include "manifest/format/parse.hpp"

namespace manifest {

struct NamedManifest {
  std::string name;  // its path
  AnyManifest manifest;
};

struct Finding {
  std::string kind;                // "leak", "duplicate", "majority", "token", "image name" or "clip name"
  std::vector<std::string> files;  // two for a leak, otherwise one
  std::string text;                // "image_id 387 is in both"
};

// Read with Repeats::keep, or there would be no duplicates to find.
[[nodiscard]] std::vector<Finding> check_manifests(const std::vector<NamedManifest>& manifests);

}  // namespace manifest
