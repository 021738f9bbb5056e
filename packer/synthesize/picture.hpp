// What can be seen in a synthesised picture, and the painting of it. One to four objects, no two alike in
// both shape and colour, on a three by three grid of the central square: a trainer that keeps only that
// square, at a few dozen pixels a side, still sees each of them whole.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <string_view>
#include <vector>

#include "common/media/image.hpp"
#include "common/random.hpp"

namespace packer {

enum class Shape { circle, square, triangle, cross, ring };
enum class Colour { red, green, blue, yellow, purple, white, cyan };
inline constexpr std::array<std::string_view, 5> k_shape_words{"circle", "square", "triangle", "cross",
                                                               "ring"};
inline constexpr std::array<std::string_view, 7> k_colour_words{"red",    "green", "blue", "yellow",
                                                                "purple", "white", "cyan"};
inline constexpr int k_grid = 3;

struct PictureObject {
  Shape shape = Shape::circle;
  Colour colour = Colour::red;
  int row = 0;     // 0 top, 1 middle, 2 bottom
  int column = 0;  // 0 left, 1 center, 2 right
  auto operator<=>(const PictureObject&) const = default;
};

// At least one object's shape and at least one object's colour is its own, so that every kind of question can
// be asked.
struct PictureScene {
  int width = 0;
  int height = 0;
  std::vector<PictureObject> objects;
};

[[nodiscard]] PictureScene draw_picture_scene(common::Random& random);
[[nodiscard]] common::Picture paint(const PictureScene& scene, common::Random& random);

}  // namespace packer
