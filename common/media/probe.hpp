// Does a media file decode? With Probe::skip only its header is read; the facts are the same either way.
#pragma once

#include <string>

#include "common/media/audio.hpp"
#include "common/media/media_header.hpp"

namespace common {

// decode: media that does not decode is refused here and not on the cluster. skip: for benchmarks; headers
// only.
enum class Probe { decode, skip };

// Throws mismatch, naming `name`, where the answer is no.
[[nodiscard]] AudioFacts probe_sound(ByteView file, const std::string& name, Probe probe,
                                     OtherForms others = OtherForms::refuse);
[[nodiscard]] PictureSize probe_picture(ByteView file, const std::string& name, Probe probe);

}  // namespace common
