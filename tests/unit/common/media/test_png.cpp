#include "common/media/png.hpp"

#include <png.h>

#include "tests/support/pictures.hpp"

#include <doctest/doctest.h>

using namespace common;
using namespace support;

namespace {

Bytes encode_png(const Bytes& rgba, int width, int height) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(width);
  png.height = static_cast<png_uint_32>(height);
  png.format = PNG_FORMAT_RGBA;
  png_alloc_size_t size = 1 << 20;
  Bytes file(size);
  REQUIRE(::png_image_write_to_memory(&png, file.data(), &size, 0, rgba.data(), 0, nullptr) != 0);
  file.resize(size);
  return file;
}

}  // namespace

TEST_CASE(
    "a PNG comes back pixel by pixel without its transparency, and is refused when it is cut or changed") {
  Bytes rgba;
  for (int i = 0; i < 5 * 7; ++i)
    for (const int value : {i, 2 * i, 3 * i, 7 * i}) rgba.push_back(static_cast<std::uint8_t>(value));
  const Bytes png = encode_png(rgba, 5, 7);
  const Picture picture = decode_picture(png, "picture.png");
  REQUIRE(picture.width == 5);
  REQUIRE(picture.height == 7);
  for (std::size_t i = 0; i < 5 * 7; ++i)
    for (std::size_t c = 0; c < 3; ++c) CHECK(picture.pixels[3 * i + c] == rgba[4 * i + c]);
  for (std::size_t keep = 0; keep < png.size() - 12; ++keep)
    CHECK(is_refused_picture(ByteView(png).first(keep)));
  Bytes changed = png;
  changed[png.size() / 2] = static_cast<std::uint8_t>(changed[png.size() / 2] ^ 4);
  CHECK(is_refused_picture(changed));
}

TEST_CASE("of a PNG of 16 bits the upper 8 stay, with and without colours and transparency") {
  const std::string samples("\x12\x34\xfe\xff\x80\x00\x00\xff\xff\x00\x01\x80\x7f\xff\x20\x01", 16);
  const auto decode = [&](int width, PngColour colour, std::size_t bytes) {
    return decode_picture(png_file(width, 1, 16, colour, samples.substr(0, bytes)), "x.png").pixels;
  };
  CHECK(decode(2, k_grey, 4) == Bytes{0x12, 0x12, 0x12, 0xfe, 0xfe, 0xfe});
  CHECK(decode(1, k_rgb, 6) == Bytes{0x12, 0xfe, 0x80});
  CHECK(decode(2, k_grey_alpha, 8) == Bytes{0x12, 0x12, 0x12, 0x80, 0x80, 0x80});
  CHECK(decode(2, k_rgb_alpha, 16) == Bytes{0x12, 0xfe, 0x80, 0xff, 0x01, 0x7f});
}

TEST_CASE("a PNG of few bits spans black to white, a palette's colours are its own, and gamma is left out") {
  CHECK(decode_picture(png_file(4, 1, 2, k_grey, "\x1b"), "x.png").pixels ==
        Bytes{0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255});
  const std::string colours = png_chunk("PLTE", std::string("\x0a\x14\x1e\xc8\xd2\xdc", 6));
  const std::string clear = png_chunk("tRNS", std::string("\x00\x80", 2));
  CHECK(decode_picture(png_file(2, 1, 1, k_palette, "\x40", colours + clear), "x.png").pixels ==
        Bytes{10, 20, 30, 200, 210, 220});
  const std::string linear = png_chunk("gAMA", big_endian(100000, 4));
  CHECK(decode_picture(png_file(2, 1, 8, k_grey, "\x40\x80", linear), "x.png").pixels ==
        Bytes{0x40, 0x40, 0x40, 0x80, 0x80, 0x80});
}
