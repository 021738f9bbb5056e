#include "common/media/jpeg.hpp"

#include <cstdlib>

#include "tests/support/pictures.hpp"

#include <doctest/doctest.h>

using namespace common;
using namespace support;

TEST_CASE("a JPEG comes back with its size, its channels in order and its pixels nearly") {
  const Picture picture = ramp_picture(100, 60);
  const Picture back = decode_picture(encode_jpeg(picture, 95), "picture.jpg");
  CHECK(back.width == 100);
  CHECK(back.height == 60);
  REQUIRE(back.pixels.size() == picture.pixels.size());
  for (std::size_t i = 0; i < picture.pixels.size(); i += 97)
    CHECK(std::abs(static_cast<int>(back.pixels[i]) - static_cast<int>(picture.pixels[i])) < 12);
}

TEST_CASE("a JPEG cut short anywhere is refused, not filled with grey") {
  const Bytes jpeg = encode_jpeg(ramp_picture(100, 60), 90);
  CHECK_FALSE(is_refused_picture(jpeg));
  for (std::size_t keep = 0; keep < jpeg.size(); keep += 7)
    CHECK(is_refused_picture(ByteView(jpeg).first(keep)));
  CHECK(is_refused_picture(ByteView(jpeg).first(jpeg.size() - 1)));
  CHECK(is_refused_picture(view_of("no picture")));
}

TEST_CASE("a JPEG whose data is damaged is refused, not filled up with what the decoder made of it") {
  Picture noise = ramp_picture(64, 64);
  std::uint32_t state = 1;
  for (std::uint8_t& value : noise.pixels)
    value = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  const Bytes jpeg = encode_jpeg(noise, 90);
  // A restart marker in the middle of the data, where none was announced.
  Bytes damaged = jpeg;
  damaged[jpeg.size() / 2] = 0xff;
  damaged[jpeg.size() / 2 + 1] = 0xd3;
  CHECK(is_refused_picture(damaged));
  // Bytes between the data and the end marker are a camera's padding.
  Bytes padded(jpeg.begin(), jpeg.end() - 2);
  for (const int value : {0x00, 0x00, 0xff, 0xd9}) padded.push_back(static_cast<std::uint8_t>(value));
  CHECK_FALSE(is_refused_picture(padded));
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
      for (const AdobeMark mark : {AdobeMark::written, AdobeMark::absent}) {
        if (space == JCS_YCCK && mark == AdobeMark::absent) continue;  // nothing else says YCCK
        Bytes inks;
        for (int i = 0; i < 16 * 16; ++i) inks.insert(inks.end(), paper.stored.begin(), paper.stored.end());
        const Picture seen = decode_picture(ink_jpeg(16, 16, inks, space, mark), "inks.jpg");
        REQUIRE(seen.pixels.size() == 16 * 16 * 3);
        for (std::size_t c = 0; c < 3; ++c)
          CHECK(std::abs(static_cast<int>(seen.pixels[300 + c]) - static_cast<int>(paper.seen[c])) <= 3);
      }
}

TEST_CASE("a JPEG of more than 8 bits is refused") {
  Bytes jpeg = encode_jpeg(ramp_picture(16, 8), 90);
  for (std::size_t i = 0; i + 9 < jpeg.size(); ++i)
    if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0) jpeg[i + 4] = 12;
  CHECK(is_refused_picture(jpeg));
}
