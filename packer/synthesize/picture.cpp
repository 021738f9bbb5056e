#include "packer/synthesize/picture.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace packer {
namespace {

using common::Picture;
using common::Random;

using Rgb = std::array<double, 3>;

constexpr std::array<Rgb, k_colour_words.size()> k_paints{{
    {235, 45, 45},    // red
    {40, 195, 60},    // green
    {60, 100, 250},   // blue
    {250, 222, 30},   // yellow
    {190, 65, 230},   // purple
    {245, 245, 245},  // white
    {40, 215, 225},   // cyan
}};

bool has_own_shape_and_colour(const std::vector<PictureObject>& objects) {
  const auto is_own = [&](auto member) {
    return std::any_of(objects.begin(), objects.end(), [&](const PictureObject& one) {
      return std::count_if(objects.begin(), objects.end(),
                           [&](const PictureObject& other) { return other.*member == one.*member; }) == 1;
    });
  };
  return is_own(&PictureObject::shape) && is_own(&PictureObject::colour);
}

bool holds(const std::vector<PictureObject>& objects, const PictureObject& object) {
  return std::any_of(objects.begin(), objects.end(), [&](const PictureObject& other) {
    return (other.shape == object.shape && other.colour == object.colour) ||
           (other.row == object.row && other.column == object.column);
  });
}

PictureObject draw_object(const std::vector<PictureObject>& objects, Random& random) {
  PictureObject object;
  object.shape = static_cast<Shape>(random.below(k_shape_words.size()));
  object.colour = static_cast<Colour>(random.below(k_colour_words.size()));
  object.row = static_cast<int>(random.below(k_grid));
  object.column = static_cast<int>(random.below(k_grid));
  // Often alike in one respect: otherwise every count of a colour or a shape would be one.
  const std::uint64_t alike = random.below(10);
  if (!objects.empty() && alike < 2) object.shape = objects.front().shape;
  if (!objects.empty() && alike >= 8) object.colour = objects.front().colour;
  return object;
}

// Signed distance to the outline, negative inside, in units of half the object's size; y points down.
double distance_to(Shape shape, double x, double y) {
  const auto box = [&](double half_width, double half_height) {
    return std::max(std::abs(x) - half_width, std::abs(y) - half_height);
  };
  const double radius = std::hypot(x, y);
  switch (shape) {
    case Shape::circle:
      return radius - 1.0;
    case Shape::square:
      return box(0.92, 0.92);
    case Shape::triangle: {
      // Apex (0, -1), base at y = 0.9; the sides' unit normals are (±1.9, -1) / 2.147.
      const double side = (1.9 * std::abs(x) - (y + 1.0)) / std::hypot(1.9, 1.0);
      return std::max(side, y - 0.9);
    }
    case Shape::cross:
      return std::min(box(0.32, 1.0), box(1.0, 0.32));
    case Shape::ring:
      return std::abs(radius - 0.75) - 0.25;
  }
  return 1.0;
}

void blend(Picture& picture, int x, int y, const Rgb& paint, double cover) {
  const auto at = 3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) +
                       static_cast<std::size_t>(x));
  for (std::size_t c = 0; c < 3; ++c) {
    const double mixed = cover * paint[c] + (1.0 - cover) * picture.pixels[at + c];
    picture.pixels[at + c] = static_cast<std::uint8_t>(std::clamp(std::lround(mixed), 0L, 255L));
  }
}

// A dark grey with a tint, a gradient across it and a soft texture: nothing that could be taken for an
// object, and darker than every paint, so that a shape looks alike in every colour.
void paint_background(Picture& picture, Random& random) {
  constexpr int k_knot_px = 20;
  const double grey = random.uniform(28.0, 52.0);
  Rgb base{};
  for (double& channel : base) channel = grey + random.uniform(-6.0, 6.0);
  const double slope_x = random.uniform(-10.0, 10.0), slope_y = random.uniform(-10.0, 10.0);
  const int knots_x = picture.width / k_knot_px + 2, knots_y = picture.height / k_knot_px + 2;
  std::vector<double> knots(static_cast<std::size_t>(knots_x * knots_y));
  for (double& knot : knots) knot = random.uniform(-7.0, 7.0);
  const auto knot_at = [&](int x, int y) { return knots[static_cast<std::size_t>(y * knots_x + x)]; };
  for (int y = 0; y < picture.height; ++y) {
    const int ky = y / k_knot_px;
    const double fy = static_cast<double>(y % k_knot_px) / k_knot_px;
    for (int x = 0; x < picture.width; ++x) {
      const int kx = x / k_knot_px;
      const double fx = static_cast<double>(x % k_knot_px) / k_knot_px;
      const double texture = (1 - fy) * ((1 - fx) * knot_at(kx, ky) + fx * knot_at(kx + 1, ky)) +
                             fy * ((1 - fx) * knot_at(kx, ky + 1) + fx * knot_at(kx + 1, ky + 1));
      const double slope = slope_x * (static_cast<double>(x) / picture.width - 0.5) +
                           slope_y * (static_cast<double>(y) / picture.height - 0.5);
      // Weaving: a grain of two pixels that a JPEG has to spend some bytes on.
      const double grain = ((x ^ y) & 2) != 0 ? 1.5 : -1.5;
      blend(picture, x, y,
            {base[0] + slope + texture + grain, base[1] + slope + texture + grain,
             base[2] + slope + texture + grain},
            1.0);
    }
  }
}

void paint_object(Picture& picture, const PictureObject& object, Random& random) {
  const int side = std::min(picture.width, picture.height);
  const double cell_px = static_cast<double>(side) / k_grid;
  const double fill = random.uniform(0.76, 0.88);
  const double half_px = 0.5 * fill * cell_px;
  const double slack_px = 0.5 * (1.0 - fill) * cell_px * 0.6;
  const double centre_x =
      0.5 * (picture.width - side) + (object.column + 0.5) * cell_px + random.uniform(-slack_px, slack_px);
  const double centre_y =
      0.5 * (picture.height - side) + (object.row + 0.5) * cell_px + random.uniform(-slack_px, slack_px);
  const double tilt = random.uniform(-5.0, 5.0) * std::numbers::pi / 180.0;
  Rgb paint = k_paints[static_cast<std::size_t>(object.colour)];
  for (double& channel : paint) channel += random.uniform(-10.0, 10.0);
  const double cosine = std::cos(tilt), sine = std::sin(tilt);
  const int reach = static_cast<int>(half_px * 1.5) + 1;
  for (int y = static_cast<int>(centre_y) - reach; y <= static_cast<int>(centre_y) + reach; ++y) {
    for (int x = static_cast<int>(centre_x) - reach; x <= static_cast<int>(centre_x) + reach; ++x) {
      if (x < 0 || y < 0 || x >= picture.width || y >= picture.height) continue;
      const double dx = (x + 0.5 - centre_x) / half_px, dy = (y + 0.5 - centre_y) / half_px;
      const double distance = distance_to(object.shape, cosine * dx + sine * dy, cosine * dy - sine * dx);
      // One pixel of slope: the share of the pixel that the object covers.
      const double cover = std::clamp(0.5 - distance * half_px, 0.0, 1.0);
      if (cover > 0) blend(picture, x, y, paint, cover);
    }
  }
}

}  // namespace

PictureScene draw_picture_scene(Random& random) {
  PictureScene scene;
  const int short_px = 160 + 8 * static_cast<int>(random.below(11));
  const int long_px = short_px * 4 / 3;
  const bool is_upright = random.below(5) == 0;
  scene.width = is_upright ? short_px : long_px;
  scene.height = is_upright ? long_px : short_px;
  const std::size_t count = 1 + random.below(4);
  while (scene.objects.size() < count) {
    const PictureObject object = draw_object(scene.objects, random);
    if (!holds(scene.objects, object)) scene.objects.push_back(object);
    if (scene.objects.size() == count && !has_own_shape_and_colour(scene.objects)) scene.objects.clear();
  }
  return scene;
}

Picture paint(const PictureScene& scene, Random& random) {
  Picture picture{scene.width, scene.height, {}};
  picture.pixels.resize(3 * static_cast<std::size_t>(scene.width) * static_cast<std::size_t>(scene.height));
  paint_background(picture, random);
  for (const PictureObject& object : scene.objects) paint_object(picture, object, random);
  return picture;
}

}  // namespace packer
