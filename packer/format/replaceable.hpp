// Whether a pack may take the place of what is there.
#pragma once

#include "common/sealed/draft.hpp"

namespace packer {

// Only a pack is replaced. It may be damaged (that is how it is repaired), but a folder with anything that no
// pack holds is somebody's work.
[[nodiscard]] common::Replaceable pack_replaceable();

}  // namespace packer
