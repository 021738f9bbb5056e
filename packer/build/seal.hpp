// The last verb of a build: the control files follow from what was staged, SHA256SUMS is written last, and
// the draft takes the pack's place. Only here does a pack get its id.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/sealed/draft.hpp"
#include "packer/build/copy.hpp"
#include "packer/format/clip_remarks.hpp"

namespace packer {

struct SealedPack {
  common::Digest id;
  PackInfo info;
  std::filesystem::path location;
  ClipRemarks remarks;
};

// Throws mismatch where two splits hold the same bytes, or nothing is left of a manifest. Where missing files
// are allowed, the later one of two equal files in two splits is left out as one of them.
[[nodiscard]] SealedPack seal(StagedPack staged, common::Draft& draft, Missing missing);

}  // namespace packer
