// PNG through libpng. Only common/image uses this: callers see pictures.
#pragma once

#include "common/image.hpp"

namespace common {

// `width` and `height` are what the header promised. Transparency is left out, as Python's convert("RGB")
// does.
[[nodiscard]] Picture decode_png(ByteView file, int width, int height, const std::string& name);

}  // namespace common
