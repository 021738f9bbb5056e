// Whether all of an MP4, a WebM or an ADTS stream is there, by the sizes that its parts state. ffmpeg decodes
// what is left of one that was cut short, and calls that success.
#pragma once

#include <string>

#include "common/media/sound_bytes.hpp"
#include "common/media/sound_form.hpp"

namespace common {

// `file` begins with `form`, which is mp4, matroska or adts. Refuses one whose last part is not whole, and an
// MP4 without the table of its samples.
void check_container_end(const SoundBytes& file, SoundForm form, const std::string& name);

}  // namespace common
