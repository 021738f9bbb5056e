// All near-duplicates among many sounds, without comparing each with each: sounds that share a frame, or
// nearly so, are looked up (after Haitsma and Kalker, 2002). A pair whose signs differ almost as much as is
// allowed may share none and be missed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "packer/leaks/sound_match.hpp"

namespace packer {

// A frame is rich where it has so many sure signs. Short sounds and steady ones have few of them, and an
// index by frames may miss them: those are compared with all others.
inline constexpr int k_rich_signs = 14;
inline constexpr std::size_t k_least_rich_frames = 60;

struct SoundPair {
  std::uint32_t a = 0, b = 0;  // places in `marks`; a < b
  SoundLikeness likeness;
};

// Pairs of one group are left out; `groups` has a number for each mark. Sorted by a, then b. Beside the marks
// it takes 4 MiB and 1 KiB a sound, for a while.
[[nodiscard]] std::vector<SoundPair> find_sound_pairs(std::span<const SoundMark> marks,
                                                      std::span<const std::uint32_t> groups,
                                                      unsigned threads);

}  // namespace packer
