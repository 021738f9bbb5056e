// What a FLAC (RFC 9639) states of its length, and whether one that states nothing ends with a whole frame.
#pragma once

#include <cstdint>
#include <string>

#include "common/media/sound_bytes.hpp"

namespace common {

// Where STREAMINFO keeps the 36 bits of the number of samples: in the lower half of this byte and the four
// behind it.
inline constexpr std::uint64_t k_flac_length_at = 21;

// The samples of each channel that `file` states, which begins with "fLaC"; 0 where it states none.
[[nodiscard]] std::uint64_t flac_length(const SoundBytes& file);

// For a FLAC without a length, of which `samples` were decoded: refuses one whose last frame is not whole.
void check_last_flac_frame(const SoundBytes& file, std::uint64_t samples, const std::string& name);

}  // namespace common
