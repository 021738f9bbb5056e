// JPEG through libjpeg (Debian's is libjpeg-turbo). Only common/image uses this: callers see pictures.
#pragma once

#include "common/media/image.hpp"

namespace common {

// The picture as it is stored. `width` and `height` are what the header promised. Grey becomes three equal
// channels, CMYK and YCCK become RGB as Python's convert("RGB") makes them, without their profile. A file
// whose data libjpeg calls corrupt is a mismatch error, not a picture with grey in it.
[[nodiscard]] Picture decode_jpeg(ByteView file, int width, int height, const std::string& name);

}  // namespace common
