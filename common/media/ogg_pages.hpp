// The pages of an Ogg (RFC 3533): all of one stream are there, in order and undamaged, to the one that ends
// it. Decoders pass over pages that are not, and give a shorter sound.
#pragma once

#include <string>

#include "common/media/sound_bytes.hpp"

namespace common {

// `file` begins with the first page. Refuses anything else, and several streams, of which decoders take one.
// Returns where the last page ends.
[[nodiscard]] std::uint64_t check_ogg_pages(const SoundBytes& file, const std::string& name);

}  // namespace common
