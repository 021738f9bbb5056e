// AudioCaps (Kim and others, 2019), versions 1 and 2: ten seconds of YouTube videos with a caption, or five
// where they are to be tested on. A clip is called by its video.
#pragma once

#include "manifest/datasets/data_set.hpp"

namespace manifest {

[[nodiscard]] const SoundSet& audiocaps();

}  // namespace manifest
