// Facts of a media file from its header alone, in a microsecond, for the two sound forms that a pack stores
// and for pictures. Decides nothing about whether the file decodes: that is probe's work.
#pragma once

#include <optional>

#include "common/audio.hpp"
#include "common/bytes.hpp"
#include "packer/info.hpp"

namespace packer {

// A RIFF WAVE of PCM or float samples whose data chunk lies whole in the file, or a FLAC that states its
// length; nothing for any other bytes.
[[nodiscard]] std::optional<common::AudioFacts> sound_header(common::ByteView file);

// Width and height as stored, of a JPEG or PNG.
[[nodiscard]] std::optional<ImageFacts> picture_header(common::ByteView file);

}  // namespace packer
