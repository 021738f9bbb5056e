// Pictures: JPEG and PNG. Pixels are 8-bit RGB, rows top to bottom; grey, palettes, CMYK and 16 bits become
// that as in Pillow's convert("RGB"), the pictures that the Python original's models see. EXIF orientation is
// applied, as browsers do. Bytes behind a picture's end (a camera's, an appended archive) are no part of it.
// One decoder for the packer, which refuses what does not decode, and for the trainer, which needs it to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/bytes.hpp"
#include "common/media/media_header.hpp"

namespace common {

struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;  // [height * width * 3], R G B
};

// A picture beyond one of these is refused before it costs anything. COCO's have 1 MB and 0.3 megapixels at
// most. 64 megapixels are what telephones and cameras take;
inline constexpr std::uint64_t k_picture_limit_pixels = std::uint64_t{64} << 20;
// two bytes for each of them are more than a PNG of a photograph has, with room for what is appended.
inline constexpr std::uint64_t k_picture_limit_bytes = 2 * k_picture_limit_pixels;
// libjpeg's progressive files have 18 scans at most (four inks), those of optimisers a dozen; 10,000 of some
// bytes each would take minutes.
inline constexpr int k_picture_limit_scans = 100;

// Width and height as stored, from the header of a picture that is within the limits. What is none of these
// is a mismatch error that names `name` and says what the file is.
[[nodiscard]] PictureSize picture_size(ByteView file, const std::string& name);

// A JPEG or PNG held in memory. One that does not decode whole is a mismatch error that names `name`. Hears
// signals: a picture at the limits takes seconds.
[[nodiscard]] Picture decode_picture(ByteView file, const std::string& name);
[[nodiscard]] Bytes encode_jpeg(const Picture& picture, int quality);
// What encode_jpeg writes depends on it: "libjpeg-turbo 2.1.5".
[[nodiscard]] std::string jpeg_library();

// The error of a picture that cannot be had.
[[noreturn]] void refuse_picture(const std::string& name, const std::string& why);
// The error of one that has too many bytes; for those who know it before they read them.
[[noreturn]] void refuse_long_picture(const std::string& name, std::uint64_t bytes);

}  // namespace common
