// PNG through libpng. Only common/image uses this: callers see pictures.
#pragma once

#include "common/media/image.hpp"

namespace common {

// `width` and `height` are what the header promised. As Python's convert("RGB"): transparency, gamma and
// colour profiles are left out, grey becomes three equal channels, and of 16 bits the upper 8 stay. (Of grey
// with 16 bits Pillow makes white: it clamps instead, which is not followed.)
[[nodiscard]] Picture decode_png(ByteView file, int width, int height, const std::string& name);

}  // namespace common
