// Clotho (Drossos and others, 2020), as version 2.1 lies on Zenodo: sounds of 15 to 30 seconds from
// Freesound, each with five captions. A clip is called by its file, in whatever script, and every sound has a
// licence of its own, which the second table states.
#pragma once

#include "manifest/datasets/data_set.hpp"

namespace manifest {

[[nodiscard]] const SoundSet& clotho();

}  // namespace manifest
