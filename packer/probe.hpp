// Does a media file decode? With Probe::skip only its header is read; the facts are the same either way.
#pragma once

#include <string>

#include "packer/copy.hpp"

namespace packer {

// Throws mismatch, naming `name`, where the answer is no.
[[nodiscard]] common::AudioFacts probe_sound(common::ByteView file, const std::string& name, Probe probe);
[[nodiscard]] ImageFacts probe_picture(common::ByteView file, const std::string& name, Probe probe);

}  // namespace packer
