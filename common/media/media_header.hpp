// Facts of a media file from its header alone, in a microsecond, for the two sound forms that a pack stores
// and for pictures. Decides nothing about whether the file decodes: that is probe's work.
#pragma once

#include <optional>

#include "common/bytes.hpp"
#include "common/media/audio.hpp"

namespace common {

// Pixels as stored.
struct PictureSize {
  int width = 0;
  int height = 0;
};

// How far into a file its header is looked for: metadata may stand before it, and no more than this is held.
inline constexpr std::size_t k_media_header_limit_bytes = std::size_t{1} << 20;

// `head` is the beginning of a file of `file_bytes`. A RIFF WAVE of PCM or float samples whose data chunk
// lies whole in the file, or a FLAC that states its length; nothing for any other bytes, and nothing where
// the header goes on behind `head`.
[[nodiscard]] std::optional<AudioFacts> sound_header(ByteView head, std::uint64_t file_bytes);
[[nodiscard]] inline std::optional<AudioFacts> sound_header(ByteView file) {
  return sound_header(file, file.size());
}

// Width and height as stored, of a JPEG or PNG; nothing for any other bytes, or where `head` ends before
// them.
[[nodiscard]] std::optional<PictureSize> picture_header(ByteView head);

}  // namespace common
