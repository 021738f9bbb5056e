#include "common/media/orientation.hpp"

#include "tests/support/pictures.hpp"

#include <doctest/doctest.h>

using namespace common;
using namespace support;

namespace {

enum class ByteOrder { little, big };

// An APP1 segment with one tag, behind the JPEG's first marker.
Bytes with_orientation(const Bytes& jpeg, int orientation, ByteOrder order) {
  std::string tiff = order == ByteOrder::big
                         ? std::string("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", 19)
                         : std::string("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 18);
  tiff += static_cast<char>(orientation);
  tiff.resize(26, '\0');
  return with_app_segment(jpeg, 0xe1, std::string("Exif\0\0", 6) + tiff);
}

}  // namespace

TEST_CASE("a picture is turned as EXIF says the camera was held") {
  const Bytes jpeg = encode_jpeg(ramp_picture(16, 8), 90);
  CHECK(exif_orientation(jpeg) == 1);
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const ByteOrder order : {ByteOrder::little, ByteOrder::big}) {
      const Bytes file = with_orientation(jpeg, orientation, order);
      CHECK(exif_orientation(file) == orientation);
      const Picture seen = decode_picture(file, "picture.jpg");
      CHECK(seen.width == (orientation >= 5 ? 8 : 16));
    }
  // Corners of a picture of 3 x 2 pixels, numbered as they are stored; EXIF's table says which comes first.
  Picture stored{3, 2, {}};
  for (std::uint8_t pixel = 0; pixel < 6; ++pixel) stored.pixels.insert(stored.pixels.end(), 3, pixel);
  const std::vector<std::vector<int>> rows = {{0, 1, 2, 3, 4, 5}, {2, 1, 0, 5, 4, 3}, {5, 4, 3, 2, 1, 0},
                                              {3, 4, 5, 0, 1, 2}, {0, 3, 1, 4, 2, 5}, {3, 0, 4, 1, 5, 2},
                                              {5, 2, 4, 1, 3, 0}, {2, 5, 1, 4, 0, 3}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const Picture seen = upright(stored, orientation);
    for (std::size_t i = 0; i < 6; ++i)
      CHECK(seen.pixels[3 * i] == rows[static_cast<std::size_t>(orientation - 1)][i]);
  }
}

TEST_CASE("an EXIF note that makes no sense leaves the picture as it is stored") {
  const Bytes jpeg = encode_jpeg(ramp_picture(16, 8), 90);
  for (const int orientation : {0, 9, 200})
    CHECK(exif_orientation(with_orientation(jpeg, orientation, ByteOrder::little)) == 1);
  const Bytes file = with_orientation(jpeg, 6, ByteOrder::little);
  for (std::size_t keep = 0; keep < 40; ++keep) CHECK(exif_orientation(ByteView(file).first(keep)) <= 6);
  for (std::size_t at = 2; at < 40; ++at) {
    Bytes changed = file;
    changed[at] = 0xff;
    const int orientation = exif_orientation(changed);
    CHECK((orientation >= 1 && orientation <= 8));
  }
}

TEST_CASE("an EXIF note is found behind bytes that are no segment, as the picture is") {
  const Bytes jpeg = encode_jpeg(ramp_picture(16, 8), 90);
  Bytes file = with_orientation(jpeg, 6, ByteOrder::big);
  file.insert(file.begin() + 2, {'x', 0, 0xff, 0, 'y', 0xff});
  CHECK(exif_orientation(file) == 6);
  CHECK(decode_picture(file, "picture.jpg").width == 8);
}
