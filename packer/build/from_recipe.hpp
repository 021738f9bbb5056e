// A pack made again from a recipe (its control files) and the user's own sources.
#pragma once

#include <filesystem>
#include <optional>

#include "common/digest.hpp"
#include "packer/build/build.hpp"

namespace packer {

// What the user knows about a recipe from elsewhere.
struct RecipeTrust {
  std::optional<common::Digest> expected_id;
  std::optional<std::filesystem::path> trusted_key;
};
// The same pack, byte for byte, from sources of one's own. Throws mismatch that lists every source that is
// missing or gives other bytes than the recipe's seal has; signature where the trusted key did not sign it.
[[nodiscard]] BuildSummary build_from_recipe(const BuildRequest& request, const RecipeTrust& trust);

}  // namespace packer
