#include "common/png.hpp"

#include <png.h>

#include "common/error.hpp"

namespace common {

Picture decode_png(ByteView file, int width, int height, const std::string& name) {
  // libpng's simplified interface: no jumps, and a chunk with a wrong CRC or a missing end is an error. Its
  // warnings are about texts and profiles, not pixels.
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  if (::png_image_begin_read_from_memory(&png, file.data(), file.size()) == 0)
    refuse_picture(name, png.message);
  png.format = PNG_FORMAT_RGBA;
  const auto count = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  if (png.width != static_cast<png_uint_32>(width) || png.height != static_cast<png_uint_32>(height)) {
    ::png_image_free(&png);
    refuse_picture(name, "it has two sizes");
  }
  Bytes rgba(4 * count);
  if (::png_image_finish_read(&png, nullptr, rgba.data(), 0, nullptr) == 0) refuse_picture(name, png.message);
  Picture picture{width, height, {}};
  picture.pixels.resize(3 * count);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t c = 0; c < 3; ++c) picture.pixels[3 * i + c] = rgba[4 * i + c];
  return picture;
}

}  // namespace common
