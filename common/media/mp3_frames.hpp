// The frames of an MP3 (ISO/IEC 11172-3, 13818-3), by their headers alone: how many there are, whether the
// last is whole, and what the first one may state of all (Xing, Info, VBRI). Nothing is decoded.
#pragma once

#include <optional>
#include <string>

#include "common/media/sound_bytes.hpp"

namespace common {

struct Mp3Header {
  std::uint32_t kind = 0;      // the bits that all frames of a stream share: version, layer, rate
  std::size_t bytes = 0;       // of the frame; 0 where its bit rate is free and nothing tells
  std::size_t side_bytes = 0;  // between the header and a Xing tag
  // `head` has four bytes; nothing where they begin no frame.
  static std::optional<Mp3Header> parse(ByteView head);
};

struct Mp3Frames {
  std::uint64_t sound_begin = 0;  // of the first frame that holds sound
  // What the frame before it states; its header may lie.
  enum class Stated { nothing, rightly, wrongly } stated = Stated::nothing;
  std::uint64_t samples = 0;  // of each channel in all frames; 0 where only decoding tells
};

// `begin` is the first frame's. A stream that states more than there is, or whose last frame is cut, is
// refused.
[[nodiscard]] Mp3Frames walk_mp3(const SoundBytes& bytes, std::uint64_t begin, const std::string& name);

}  // namespace common
