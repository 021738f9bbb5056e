// Whether two sounds are one sound: louder, quieter, resampled, compressed with loss, of one channel or two,
// or shifted in time. Kept of a sound are its levels in bands of frequency, and for each frame the signs of
// how they change against their neighbours; noise changes differently each time, so that two recordings of
// rain are two sounds.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "packer/leaks/vision_interface.hpp"

namespace packer {

struct SoundMark {
  std::vector<std::uint8_t> levels;    // [frames * k_bands], dB above 100 below the loudest; 0: nothing
  std::vector<std::uint32_t> signs;    // [frames]: a bit for each pair of neighbouring bands
  std::vector<std::uint32_t> sure;     // those of them that no encoder changes
  std::array<float, k_bands> shape{};  // the mean level of each band, dB, around their mean
  std::size_t sure_bits = 0;
  bool silent = false;
  [[nodiscard]] std::size_t frames() const { return signs.size(); }
  // Too little happens in it to tell it by: silence, a steady tone.
  [[nodiscard]] bool is_even() const { return silent || sure_bits < 60; }
};

// `levels`: [frames * k_bands], dB.
[[nodiscard]] SoundMark mark_sound(const std::vector<float>& levels);

struct SoundLikeness {
  double errors = 0.5;       // of the signs: the part that differs; one half where nothing is shared
  double difference_db = 0;  // of the levels, without the gain
  int lag = 0;               // frames by which the second is later
  double shared = 0;         // the part of the sure signs of either that was compared
  [[nodiscard]] bool is_near_duplicate() const {
    return errors <= 0.17 && difference_db <= 5 && shared >= 0.4;
  }
};

// Symmetric but for the sign of the lag. Nothing where already their mean spectra differ.
[[nodiscard]] std::optional<SoundLikeness> compare_sounds(const SoundMark& a, const SoundMark& b);

}  // namespace packer
