#include <doctest/doctest.h>

#include <cstdlib>

#include "common/error.hpp"
#include "common/image.hpp"

using namespace common;

namespace {

Picture ramp(int width, int height) {
  Picture picture{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (const int value : {x * 2, y * 2, 90}) picture.pixels.push_back(static_cast<std::uint8_t>(value));
  return picture;
}

bool refused(ByteView file) {
  try {
    (void)decode_picture(file, "picture.jpg");
  } catch (const Error& error) {
    return error.kind() == ErrorKind::mismatch;
  }
  return false;
}

}  // namespace

TEST_CASE("a JPEG comes back with its size, its channels in order and its pixels nearly") {
  const Picture picture = ramp(100, 60);
  const Picture back = decode_picture(encode_jpeg(picture, 95), "picture.jpg");
  CHECK(back.width == 100);
  CHECK(back.height == 60);
  REQUIRE(back.pixels.size() == picture.pixels.size());
  for (std::size_t i = 0; i < picture.pixels.size(); i += 97)
    CHECK(std::abs(static_cast<int>(back.pixels[i]) - static_cast<int>(picture.pixels[i])) < 12);
}

TEST_CASE("a JPEG cut short anywhere is refused, not filled with grey") {
  const Bytes jpeg = encode_jpeg(ramp(100, 60), 90);
  CHECK_FALSE(refused(jpeg));
  for (std::size_t keep = 0; keep < jpeg.size(); keep += 7) CHECK(refused(ByteView(jpeg).first(keep)));
  CHECK(refused(ByteView(jpeg).first(jpeg.size() - 1)));
  CHECK(refused(view_of("no picture")));
}

TEST_CASE("a header that promises more pixels than any picture has is refused before they are allocated") {
  Bytes jpeg = encode_jpeg(ramp(100, 60), 90);
  for (std::size_t i = 0; i + 9 < jpeg.size(); ++i)
    if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0) {
      for (std::size_t k = 5; k < 9; ++k) jpeg[i + k] = 0xff;
      break;
    }
  CHECK(refused(jpeg));
}
