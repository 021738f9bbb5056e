#include "common/media/thumbnail.hpp"

#include <algorithm>

#include "tests/support/pictures.hpp"

#include <doctest/doctest.h>

using namespace common;

TEST_CASE("a picture made smaller keeps its shape, and its longer side is the limit") {
  const struct {
    int width, height, limit, small_width, small_height;
  } sizes[] = {{640, 480, 320, 320, 240}, {480, 640, 320, 240, 320}, {640, 427, 320, 320, 214},
               {320, 7, 320, 320, 7},     {1000, 1, 320, 320, 1},    {1, 1000, 10, 1, 10},
               {3, 2, 1, 1, 1},           {321, 320, 320, 320, 319}};
  for (const auto& size : sizes) {
    const Picture small = scaled_down(support::ramp_picture(size.width, size.height), size.limit);
    CHECK(small.width == size.small_width);
    CHECK(small.height == size.small_height);
    CHECK(small.pixels.size() == static_cast<std::size_t>(3 * small.width * small.height));
  }
}

TEST_CASE("a pixel of the smaller picture is the mean of what it covers") {
  const Picture small = scaled_down({4, 2, {0,  1,  2,  10, 11, 12, 100, 50, 0, 200, 50, 0,  //
                                            20, 21, 22, 30, 31, 32, 100, 60, 1, 200, 60, 1}},
                                    2);
  CHECK(small.width == 2);
  CHECK(small.height == 1);
  CHECK(small.pixels == Bytes{15, 16, 17, 150, 55, 1});
  // Three pixels to two: of the middle one, each has a half.
  CHECK(scaled_down({3, 1, {0, 0, 0, 90, 90, 90, 255, 255, 255}}, 2).pixels ==
        Bytes{30, 30, 30, 200, 200, 200});
  // One colour stays that colour, whatever the sides are.
  for (const int side : {1, 2, 7, 48, 99}) {
    const Picture plain = scaled_down({100, 61, Bytes(3 * 100 * 61, 201)}, side);
    CHECK(std::all_of(plain.pixels.begin(), plain.pixels.end(),
                      [](std::uint8_t value) { return value == 201; }));
  }
}
