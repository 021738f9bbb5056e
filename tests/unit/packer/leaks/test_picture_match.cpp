#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/random.hpp"
#include "packer/leaks/picture_match.hpp"
#include "packer/leaks/vision.hpp"
#include "tests/support/vision.hpp"

#include <doctest/doctest.h>

namespace {

using common::Picture;
using support::vision;

// Waves of many directions, and blobs: as much in it as in a photograph, and different for each seed.
Picture scene(std::uint32_t seed, int width = 240, int height = 180) {
  std::uint32_t state = seed * 2654435761U + 12345U;
  const auto draw = [&](double from, double to) {
    state = state * 1664525U + 1013904223U;
    return from + (to - from) * (state >> 8) / 16777216.0;
  };
  struct Blob {
    double x, y, size, level[3];
  };
  std::vector<Blob> blobs;
  for (int i = 0; i < 14; ++i)
    blobs.push_back(
        {draw(0, 1), draw(0, 1), draw(0.03, 0.25), {draw(-70, 70), draw(-70, 70), draw(-70, 70)}});
  Picture picture{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) {
        double value = 125;
        for (const Blob& blob : blobs) {
          const double dx = (x + 0.5) / width - blob.x, dy = (y + 0.5) / height - blob.y;
          value += blob.level[c] * std::exp(-(dx * dx + dy * dy) / (blob.size * blob.size));
        }
        picture.pixels.push_back(static_cast<std::uint8_t>(std::clamp(value, 20.0, 235.0)));
      }
  return picture;
}

Picture encoded(const Picture& picture, int quality) {
  return common::decode_picture(common::encode_jpeg(picture, quality), "encoded again");
}

// The part between the cuts, at `factor` of its size.
Picture part(const Picture& from, double left, double right, double top, double bottom, double factor = 1) {
  const double width = from.width * (1 - left - right), height = from.height * (1 - top - bottom);
  Picture to{static_cast<int>(width * factor), static_cast<int>(height * factor), {}};
  for (int y = 0; y < to.height; ++y)
    for (int x = 0; x < to.width; ++x)
      for (int c = 0; c < 3; ++c) {
        const int fx =
            std::min(from.width - 1, static_cast<int>(from.width * left + (x + 0.5) / to.width * width));
        const int fy =
            std::min(from.height - 1, static_cast<int>(from.height * top + (y + 0.5) / to.height * height));
        to.pixels.push_back(from.pixels[static_cast<std::size_t>((fy * from.width + fx) * 3 + c)]);
      }
  return to;
}

Picture each(Picture picture, const std::function<double(double)>& map) {
  for (std::uint8_t& value : picture.pixels)
    value = static_cast<std::uint8_t>(std::clamp(map(value), 0.0, 255.0));
  return picture;
}

Picture grey(Picture picture) {
  for (std::size_t i = 0; i + 2 < picture.pixels.size(); i += 3) {
    const double level =
        0.299 * picture.pixels[i] + 0.587 * picture.pixels[i + 1] + 0.114 * picture.pixels[i + 2];
    std::fill_n(picture.pixels.begin() + static_cast<std::ptrdiff_t>(i), 3, static_cast<std::uint8_t>(level));
  }
  return picture;
}

struct PictureChange {
  std::string name;
  std::function<Picture(const Picture&)> make;
};

const std::vector<PictureChange> k_picture_changes = {
    {"JPEG 95", [](const Picture& p) { return encoded(p, 95); }},
    {"JPEG 60", [](const Picture& p) { return encoded(p, 60); }},
    {"JPEG 30", [](const Picture& p) { return encoded(p, 30); }},
    {"half", [](const Picture& p) { return part(p, 0, 0, 0, 0, 0.5); }},
    {"three quarters", [](const Picture& p) { return part(p, 0, 0, 0, 0, 0.75); }},
    {"one and a half", [](const Picture& p) { return part(p, 0, 0, 0, 0, 1.5); }},
    {"double", [](const Picture& p) { return part(p, 0, 0, 0, 0, 2); }},
    {"left tenth off", [](const Picture& p) { return part(p, 0.1, 0, 0, 0); }},
    {"right tenth off", [](const Picture& p) { return part(p, 0, 0.1, 0, 0); }},
    {"top tenth off", [](const Picture& p) { return part(p, 0, 0, 0.1, 0); }},
    {"bottom tenth off", [](const Picture& p) { return part(p, 0, 0, 0, 0.1); }},
    {"the middle nine tenths", [](const Picture& p) { return part(p, 0.05, 0.05, 0.05, 0.05); }},
    {"the middle eight tenths", [](const Picture& p) { return part(p, 0.1, 0.1, 0.1, 0.1); }},
    {"a corner", [](const Picture& p) { return part(p, 0, 0.1, 0.1, 0); }},
    {"off the grid of windows", [](const Picture& p) { return part(p, 0.07, 0.02, 0.03, 0); }},
    {"grey", grey},
    {"brighter", [](const Picture& p) { return each(p, [](double v) { return v + 30; }); }},
    {"darker", [](const Picture& p) { return each(p, [](double v) { return v * 0.6; }); }},
    {"less contrast",
     [](const Picture& p) { return each(p, [](double v) { return 128 + (v - 128) * 0.5; }); }},
    {"more contrast",
     [](const Picture& p) { return each(p, [](double v) { return 128 + (v - 128) * 1.3; }); }},
    {"gamma",
     [](const Picture& p) { return each(p, [](double v) { return 255 * std::pow(v / 255, 0.8); }); }},
    {"cut, half, grey, JPEG 50",
     [](const Picture& p) { return encoded(grey(part(p, 0.1, 0, 0, 0, 0.5)), 50); }},
};

}  // namespace

TEST_CASE("a picture is found in each of its changed copies, whichever of the two comes first") {
  if (vision() == nullptr) return;
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    const Picture picture = scene(seed);
    const packer::PictureMark mark = vision()->mark(picture);
    REQUIRE_FALSE(packer::is_flat(mark));
    for (const PictureChange& change : k_picture_changes) {
      CAPTURE(seed);
      CAPTURE(change.name);
      const packer::PictureMark copy = vision()->mark(change.make(picture));
      const auto one = packer::compare_pictures(mark, copy), other = packer::compare_pictures(copy, mark);
      REQUIRE(one);
      REQUIRE(other);
      CAPTURE(one->distance);
      CAPTURE(one->detail);
      CHECK(one->is_near_duplicate());
      CHECK(one->detail == other->detail);
    }
  }
}

TEST_CASE("pictures that have nothing to do with each other stay apart") {
  if (vision() == nullptr) return;
  std::vector<packer::PictureMark> marks;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) marks.push_back(vision()->mark(scene(seed)));
  std::size_t found = 0;
  for (std::size_t i = 0; i < marks.size(); ++i)
    for (std::size_t j = i + 1; j < marks.size(); ++j) {
      const auto likeness = packer::compare_pictures(marks[i], marks[j]);
      found += likeness && likeness->is_near_duplicate() ? 1 : 0;
    }
  CHECK(found == 0);
}

TEST_CASE("a picture in one grey is flat, whatever a JPEG made of it; a photograph is not") {
  if (vision() == nullptr) return;
  for (const int shade : {0, 90, 255}) {
    Picture flat{64, 48, common::Bytes(64 * 48 * 3, static_cast<std::uint8_t>(shade))};
    CHECK(packer::is_flat(vision()->mark(flat)));
    CHECK(packer::is_flat(vision()->mark(encoded(flat, 30))));
  }
  CHECK_FALSE(packer::is_flat(vision()->mark(scene(5))));
}

TEST_CASE("pictures of one outline and other colours are two") {
  if (vision() == nullptr) return;
  // Red and green of one grey level: only the colours tell them apart.
  const auto disc = [](int r, int g, int b) {
    Picture picture{96, 96, {}};
    for (int y = 0; y < 96; ++y)
      for (int x = 0; x < 96; ++x) {
        const bool inside = (x - 48) * (x - 48) + (y - 40) * (y - 40) < 900 && (x / 8 + y / 8) % 3 != 0;
        for (const int value : {inside ? r : 230, inside ? g : 230, inside ? b : 230})
          picture.pixels.push_back(static_cast<std::uint8_t>(value));
      }
    return picture;
  };
  const auto likeness =
      packer::compare_pictures(vision()->mark(disc(220, 40, 40)), vision()->mark(disc(30, 120, 60)));
  CHECK_FALSE((likeness && likeness->is_near_duplicate()));
}

TEST_CASE("a gradient has no details to tell it by") {
  if (vision() == nullptr) return;
  Picture gradient{200, 150, {}};
  for (int y = 0; y < 150; ++y)
    for (int x = 0; x < 200; ++x)
      gradient.pixels.insert(gradient.pixels.end(), 3, static_cast<std::uint8_t>((x + y) * 255 / 350));
  CHECK(packer::is_flat(vision()->mark(gradient)));
}

TEST_CASE("a picture of which a part became white or black is still found") {
  if (vision() == nullptr) return;
  const Picture picture = scene(6);
  const packer::PictureMark mark = vision()->mark(picture);
  const std::vector<std::function<double(double)>> clips = {
      [](double v) { return v + 60; }, [](double v) { return v - 60; },
      [](double v) { return 128 + (v - 128) * 1.8; }, [](double v) { return v * 1.5; }};
  for (const auto& clip : clips) {
    const auto likeness = packer::compare_pictures(mark, vision()->mark(each(picture, clip)));
    REQUIRE(likeness);
    CAPTURE(likeness->distance);
    CAPTURE(likeness->detail);
    CHECK(likeness->is_near_duplicate());
  }
}

TEST_CASE("pages of one frame with other pictures in them are two") {
  if (vision() == nullptr) return;
  const auto page = [](std::uint32_t seed) {
    Picture picture = scene(seed, 240, 240);
    for (int y = 0; y < 240; ++y)
      for (int x = 0; x < 240; ++x) {
        const int border = std::min({x, y, 239 - x, 239 - y});
        if (border >= 50) continue;
        const int level = border < 30 ? 240 : 30;
        std::fill_n(picture.pixels.begin() + (y * 240 + x) * 3, 3, static_cast<std::uint8_t>(level));
      }
    return picture;
  };
  const packer::PictureMark one = vision()->mark(page(1));
  const auto itself = packer::compare_pictures(one, vision()->mark(encoded(page(1), 40)));
  REQUIRE(itself);
  CHECK(itself->is_near_duplicate());
  for (const std::uint32_t seed : {2U, 3U, 4U}) {
    const auto likeness = packer::compare_pictures(one, vision()->mark(page(seed)));
    CHECK_FALSE((likeness && likeness->is_near_duplicate()));
  }
}
