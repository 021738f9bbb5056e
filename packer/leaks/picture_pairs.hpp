// All near-duplicates among many pictures. Each is held against each: of 64 bits 16 may differ, and at that
// share an index by parts of the hash (Norouzi, Punjani and Fleet, 2012) would touch more than it leaves out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "packer/leaks/picture_match.hpp"

namespace packer {

struct PicturePair {
  std::uint32_t a = 0, b = 0;  // places in `marks`; a < b
  Likeness likeness;
};

// Pairs of one group are left out; `groups` has a number for each mark. Sorted by a, then b.
[[nodiscard]] std::vector<PicturePair> find_picture_pairs(std::span<const PictureMark> marks,
                                                          std::span<const std::uint32_t> groups,
                                                          unsigned threads);

}  // namespace packer
