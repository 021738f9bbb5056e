// Whether two sounds are one sound: louder, quieter, resampled, compressed with loss, of one channel or two,
// or shifted in time. Kept of a sound are its levels in bands of frequency, and for each frame the signs of
// how they change against their neighbours (after Haitsma and Kalker, 2002); noise changes differently each
// time, so that two recordings of rain are two sounds.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "packer/leaks/vision_interface.hpp"

namespace packer {

inline constexpr int k_most_lag = 66;         // frames: two seconds and a little
inline constexpr double k_most_errors = 0.2;  // of the compared signs; a copy that clips has 0.19 at most
inline constexpr double k_most_difference_db = 5.8;

// How much better than chance the signs agree: 1 is the standard deviation of as many independent bits.
// Frames overlap, so bits are not independent: between sounds that have nothing to do with each other the
// deviation was 1.8, on sounds of packages that tests/bench/README.md names. 8 is 4.4 of those, at one lag.
inline constexpr double k_least_evidence = 8;

// With fewer sure bits even a copy with one sixth of errors would not reach that evidence.
inline constexpr std::size_t k_least_sure_bits = 150;

inline constexpr int k_wide_bands = k_bands / 2;  // levels are kept in pairs of bands

struct SoundMark {
  std::vector<std::uint8_t> levels;  // [frames * k_wide_bands], dB: 100 is the loudest, 0 is nothing
  std::vector<std::uint32_t> signs;  // [frames]: a bit for each pair of neighbouring bands
  std::vector<std::uint32_t> sure;   // [frames]: those of them that no encoder changes
  std::size_t sure_bits = 0;
  bool silent = false;
  [[nodiscard]] std::size_t frames() const { return signs.size(); }
  // Too little happens in it to tell it by: silence, a steady tone, half a second.
  [[nodiscard]] bool has_too_little() const { return silent || sure_bits < k_least_sure_bits; }
};

// `levels`: [frames * k_bands], dB.
[[nodiscard]] SoundMark mark_sound(const std::vector<float>& levels);

struct SoundLikeness {
  double errors = 0.5;       // of the compared signs: the part that differs
  std::size_t compared = 0;  // signs that are sure in both, where the two overlap
  double evidence = 0;
  double difference_db = 100;  // of the levels, without the gain
  int lag = 0;                 // frames by which the second is later
  [[nodiscard]] bool is_near_duplicate() const {
    return evidence >= k_least_evidence && errors <= k_most_errors && difference_db <= k_most_difference_db;
  }
};

// How the signs agree where `b` is `lag` frames later: its frame i + lag against frame i of `a`. The levels
// are not compared.
[[nodiscard]] SoundLikeness compare_at(const SoundMark& a, const SoundMark& b, int lag);

// At the lag with the most evidence. Nothing where the signs alone say that the two are no copies.
[[nodiscard]] std::optional<SoundLikeness> compare_sounds(const SoundMark& a, const SoundMark& b);

}  // namespace packer
