#include "common/media/orientation.hpp"

#include <cstring>

#include "common/media/jpeg_segments.hpp"

namespace common {
namespace {

constexpr unsigned k_orientation_tag = 0x0112;

// TIFF 6.0: two bytes tell the byte order, and everything else follows it.
class Tiff {
 public:
  explicit Tiff(ByteView bytes)
      : bytes_(bytes), big_endian_(bytes.size() >= 2 && bytes[0] == 'M' && bytes[1] == 'M') {}

  // 0 where there is nothing: no value that is asked for is 0.
  [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t width) const {
    if (at > bytes_.size() || width > bytes_.size() - at) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < width; ++i)
      value = value << 8 | bytes_[at + (big_endian_ ? i : width - 1 - i)];
    return value;
  }

 private:
  ByteView bytes_;
  bool big_endian_;
};

int orientation_in(ByteView exif) {
  const Tiff tiff(exif);
  if (tiff.number(2, 2) != 42) return 1;
  const std::size_t folder = tiff.number(4, 4);
  const std::uint32_t entries = tiff.number(folder, 2);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::size_t entry = folder + 2 + std::size_t{12} * i;
    if (tiff.number(entry, 2) != k_orientation_tag) continue;
    const std::uint32_t value = tiff.number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace

int exif_orientation(ByteView jpeg) {
  static constexpr char k_exif[] = "Exif\0";  // and the literal's own zero: six bytes
  constexpr std::uint8_t app1 = 0xe1;
  JpegSegments segments(jpeg);
  while (const auto segment = segments.next())
    if (segment->marker == app1 && segment->body.size() > sizeof k_exif &&
        std::memcmp(segment->body.data(), k_exif, sizeof k_exif) == 0)
      return orientation_in(segment->body.subspan(sizeof k_exif));
  return 1;
}

Picture upright(Picture stored, int orientation) {
  if (orientation <= 1 || orientation > 8) return stored;
  const bool turned = orientation >= 5;
  Picture picture{turned ? stored.height : stored.width, turned ? stored.width : stored.height, {}};
  picture.pixels.resize(stored.pixels.size());
  // Which edge of the stored picture its own x and y are counted from, seen upright.
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  std::size_t to = 0;
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x, to += 3) {
      const int sx = turned ? y : x, sy = turned ? x : y;
      const int from_x = flip_x ? stored.width - 1 - sx : sx;
      const int from_y = flip_y ? stored.height - 1 - sy : sy;
      const auto from =
          std::size_t{3} * (static_cast<std::size_t>(from_y) * static_cast<std::size_t>(stored.width) +
                            static_cast<std::size_t>(from_x));
      std::memcpy(picture.pixels.data() + to, stored.pixels.data() + from, 3);
    }
  return picture;
}

}  // namespace common
