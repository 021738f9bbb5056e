#include "common/media/image.hpp"

#include <png.h>

#include <cstdlib>
#include <cstring>

#include "common/error.hpp"
#include "common/media/orientation.hpp"
#include "tests/support/pictures.hpp"

#include <doctest/doctest.h>

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

enum class ByteOrder { little, big };

// An APP1 segment with one tag, behind the JPEG's first marker.
Bytes with_orientation(const Bytes& jpeg, int orientation, ByteOrder order) {
  std::string tiff = order == ByteOrder::big
                         ? std::string("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", 19)
                         : std::string("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 18);
  tiff += static_cast<char>(orientation);
  tiff.resize(26, '\0');
  const std::string body = std::string("Exif\0\0", 6) + tiff;
  std::string segment = "\xff\xe1";
  segment += static_cast<char>(0);
  segment += static_cast<char>(body.size() + 2);
  segment += body;
  Bytes file = jpeg;
  file.insert(file.begin() + 2, segment.begin(), segment.end());
  return file;
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

TEST_CASE("a JPEG whose data is damaged is refused, not filled up with what the decoder made of it") {
  Picture noise = ramp(64, 64);
  std::uint32_t state = 1;
  for (std::uint8_t& value : noise.pixels)
    value = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  const Bytes jpeg = encode_jpeg(noise, 90);
  // A restart marker in the middle of the data, where none was announced.
  Bytes damaged = jpeg;
  damaged[jpeg.size() / 2] = 0xff;
  damaged[jpeg.size() / 2 + 1] = 0xd3;
  CHECK(refused(damaged));
  // Bytes between the data and the end marker are a camera's padding.
  Bytes padded(jpeg.begin(), jpeg.end() - 2);
  for (const int value : {0x00, 0x00, 0xff, 0xd9}) padded.push_back(static_cast<std::uint8_t>(value));
  CHECK_FALSE(refused(padded));
}

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
  for (std::size_t keep = 0; keep < png.size() - 12; ++keep) CHECK(refused(ByteView(png).first(keep)));
  Bytes changed = png;
  changed[png.size() / 2] = static_cast<std::uint8_t>(changed[png.size() / 2] ^ 4);
  CHECK(refused(changed));
}

TEST_CASE("of a PNG of 16 bits the upper 8 stay, with and without colours and transparency") {
  const std::string samples("\x12\x34\xfe\xff\x80\x00\x00\xff\xff\x00\x01\x80\x7f\xff\x20\x01", 16);
  const auto decode = [&](int width, support::PngColour colour, std::size_t bytes) {
    return decode_picture(support::png_file(width, 1, 16, colour, samples.substr(0, bytes)), "x.png").pixels;
  };
  CHECK(decode(2, support::k_grey, 4) == Bytes{0x12, 0x12, 0x12, 0xfe, 0xfe, 0xfe});
  CHECK(decode(1, support::k_rgb, 6) == Bytes{0x12, 0xfe, 0x80});
  CHECK(decode(2, support::k_grey_alpha, 8) == Bytes{0x12, 0x12, 0x12, 0x80, 0x80, 0x80});
  CHECK(decode(2, support::k_rgb_alpha, 16) == Bytes{0x12, 0xfe, 0x80, 0xff, 0x01, 0x7f});
}

TEST_CASE("a PNG of few bits spans black to white, a palette's colours are its own, and gamma is left out") {
  CHECK(decode_picture(support::png_file(4, 1, 2, support::k_grey, "\x1b"), "x.png").pixels ==
        Bytes{0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255});
  const std::string colours = support::png_chunk("PLTE", std::string("\x0a\x14\x1e\xc8\xd2\xdc", 6));
  const std::string clear = support::png_chunk("tRNS", std::string("\x00\x80", 2));
  CHECK(decode_picture(support::png_file(2, 1, 1, support::k_palette, "\x40", colours + clear), "x.png")
            .pixels == Bytes{10, 20, 30, 200, 210, 220});
  const std::string linear = support::png_chunk("gAMA", support::big_endian(100000, 4));
  CHECK(decode_picture(support::png_file(2, 1, 8, support::k_grey, "\x40\x80", linear), "x.png").pixels ==
        Bytes{0x40, 0x40, 0x40, 0x80, 0x80, 0x80});
}

TEST_CASE("inks of a JPEG become the colour that they leave of white paper, whoever wrote them") {
  // Stored is what is left out: 255 is no ink.
  const struct {
    Bytes stored, seen;
  } papers[] = {{{255, 255, 255, 255}, {255, 255, 255}},
                {{255, 255, 255, 0}, {0, 0, 0}},
                {{0, 255, 255, 255}, {0, 255, 255}},
                {{200, 100, 50, 128}, {100, 50, 25}}};
  for (const auto& paper : papers)
    for (const J_COLOR_SPACE space : {JCS_CMYK, JCS_YCCK})
      for (const support::AdobeMark mark : {support::AdobeMark::written, support::AdobeMark::absent}) {
        if (space == JCS_YCCK && mark == support::AdobeMark::absent) continue;  // nothing else says YCCK
        Bytes inks;
        for (int i = 0; i < 16 * 16; ++i) inks.insert(inks.end(), paper.stored.begin(), paper.stored.end());
        const Picture seen = decode_picture(support::ink_jpeg(16, 16, inks, space, mark), "inks.jpg");
        REQUIRE(seen.pixels.size() == 16 * 16 * 3);
        for (std::size_t c = 0; c < 3; ++c)
          CHECK(std::abs(static_cast<int>(seen.pixels[300 + c]) - static_cast<int>(paper.seen[c])) <= 3);
      }
}

TEST_CASE("a JPEG of more than 8 bits is refused") {
  Bytes jpeg = encode_jpeg(ramp(16, 8), 90);
  for (std::size_t i = 0; i + 9 < jpeg.size(); ++i)
    if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0) jpeg[i + 4] = 12;
  CHECK(refused(jpeg));
}

TEST_CASE("a picture is turned as EXIF says the camera was held") {
  const Bytes jpeg = encode_jpeg(ramp(16, 8), 90);
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
  const Bytes jpeg = encode_jpeg(ramp(16, 8), 90);
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
