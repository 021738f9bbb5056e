// EXIF's note of how a camera was held, and turning a picture by it.
#pragma once

#include "common/media/image.hpp"

namespace common {

// 1 to 8 as EXIF counts them (CIPA DC-008, tag 0x0112); 1, "as stored", where a JPEG has no readable note.
[[nodiscard]] int exif_orientation(ByteView jpeg);

// The picture as it is meant to be seen; 5 to 8 exchange width and height.
[[nodiscard]] Picture upright(Picture stored, int orientation);

}  // namespace common
