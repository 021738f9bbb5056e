// Pictures: JPEG and PNG. Pixels are 8-bit RGB, rows top to bottom; grey, palettes, CMYK and 16 bits become
// that as in Pillow's convert("RGB"), the pictures that the Python original's models see. EXIF orientation is
// applied, as browsers do. One decoder for the packer, which refuses what does not decode, and for the
// trainer, which needs it to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/bytes.hpp"

namespace common {

struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;  // [height * width * 3], R G B
};

// Largest picture that is decoded; a header that promises more is refused before anything is allocated.
inline constexpr std::uint64_t k_picture_limit_pixels = std::uint64_t{64} << 20;

// A JPEG or PNG held in memory. One that does not decode whole is a mismatch error that names `name`.
[[nodiscard]] Picture decode_picture(ByteView file, const std::string& name);
[[nodiscard]] Bytes encode_jpeg(const Picture& picture, int quality);

// The error of a picture that cannot be had.
[[noreturn]] void refuse_picture(const std::string& name, const std::string& why);

}  // namespace common
