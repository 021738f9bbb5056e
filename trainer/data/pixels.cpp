#include "trainer/data/pixels.hpp"

#include <algorithm>
#include <cmath>

#include "common/error.hpp"

namespace trainer {

using common::Picture;

namespace {

constexpr int k_weight_bits = 22;

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

// What one output sample is made of: weights of the input samples first, first + 1, ...
struct Taps {
  int first = 0;
  std::vector<std::int32_t> weights;
};

std::vector<Taps> bicubic_taps(int from, int to) {
  const double scale = static_cast<double>(from) / to, stretch = std::max(scale, 1.0), reach = 2 * stretch;
  std::vector<Taps> taps(static_cast<std::size_t>(to));
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    // Pillow rounds by truncating, which differs from lround next to a half.
    const double begin = centre - reach + 0.5, end = centre + reach + 0.5;
    const int first = std::max(0, static_cast<int>(begin));
    const int last = std::min(from, static_cast<int>(end));
    std::vector<double> weights;
    double sum = 0;
    for (int k = first; k < last; ++k) {
      weights.push_back(cubic((k - centre + 0.5) * (1 / stretch)));
      sum += weights.back();
    }
    auto& tap = taps[static_cast<std::size_t>(i)];
    tap.first = first;
    for (const double weight : weights) {
      const double fixed = weight / sum * (1 << k_weight_bits);
      tap.weights.push_back(static_cast<std::int32_t>(fixed + (fixed < 0 ? -0.5 : 0.5)));
    }
  }
  return taps;
}

std::uint8_t round_to_8_bits(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> k_weight_bits, 0, 255));
}

// Output sample i of a line is made from input samples `step` apart.
void resize_line(const std::uint8_t* from, std::uint8_t* to, const std::vector<Taps>& taps,
                 std::size_t step_from, std::size_t step_to) {
  for (std::size_t i = 0; i < taps.size(); ++i) {
    std::int32_t sum = 1 << (k_weight_bits - 1);
    const auto* at = from + static_cast<std::size_t>(taps[i].first) * step_from;
    for (const auto weight : taps[i].weights) {
      sum += weight * *at;
      at += step_from;
    }
    to[i * step_to] = round_to_8_bits(sum);
  }
}

Picture empty_picture(int width, int height) {
  return {width, height,
          std::vector<std::uint8_t>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3)};
}

Picture resize_width(const Picture& from, int width) {
  const auto taps = bicubic_taps(from.width, width);
  auto to = empty_picture(width, from.height);
  for (std::size_t row = 0; row < static_cast<std::size_t>(from.height); ++row)
    for (std::size_t channel = 0; channel < 3; ++channel)
      resize_line(&from.pixels[row * static_cast<std::size_t>(from.width) * 3 + channel],
                  &to.pixels[row * static_cast<std::size_t>(width) * 3 + channel], taps, 3, 3);
  return to;
}

Picture resize_height(const Picture& from, int height) {
  const auto taps = bicubic_taps(from.height, height);
  auto to = empty_picture(from.width, height);
  const auto stride = static_cast<std::size_t>(from.width) * 3;
  for (std::size_t column = 0; column < stride; ++column)
    resize_line(&from.pixels[column], &to.pixels[column], taps, stride, stride);
  return to;
}

// The picture in the middle of a square of the mean colour.
Picture pad_to_square(const Picture& from, const std::array<double, 3>& mean) {
  const int side = std::max(from.width, from.height);
  auto to = empty_picture(side, side);
  for (std::size_t i = 0; i < to.pixels.size(); ++i)
    to.pixels[i] = static_cast<std::uint8_t>(255 * mean[i % 3]);
  const int left = (side - from.width) / 2, top = (side - from.height) / 2;
  const auto stride = static_cast<std::size_t>(from.width) * 3;
  for (int row = 0; row < from.height; ++row)
    std::copy_n(from.pixels.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(row) * stride),
                stride, to.pixels.begin() + ((row + top) * static_cast<std::ptrdiff_t>(side) + left) * 3);
  return to;
}

// The shortest side becomes `side`, the other follows and is cut off below.
Picture resize_shortest(const Picture& from, std::int64_t side) {
  const auto longer = [&](int shorter_side, int longer_side) {
    return static_cast<int>(static_cast<double>(side * longer_side) / shorter_side);
  };
  const int target = static_cast<int>(side);
  return from.width <= from.height ? resize_bicubic(from, target, longer(from.width, from.height))
                                   : resize_bicubic(from, longer(from.height, from.width), target);
}

}  // namespace

Picture resize_bicubic(const Picture& picture, int width, int height) {
  ENSURE(picture.width > 0 && picture.height > 0 && width > 0 && height > 0);
  // A pass that changes nothing is left out, as Pillow does.
  const Picture wide = picture.width == width ? picture : resize_width(picture, width);
  return wide.height == height ? wide : resize_height(wide, height);
}

torch::Tensor pixels_of(const Picture& picture, const PixelsConfig& config) {
  const auto resized = resize_shortest(
      config.aspect == Aspect::pad ? pad_to_square(picture, config.mean) : picture, config.resize_side);
  // In the order and types of the original arithmetic, so that the result has its bits.
  std::array<std::array<float, 256>, 3> value{};
  for (std::size_t channel = 0; channel < 3; ++channel)
    for (std::size_t level = 0; level < 256; ++level)
      value[channel][level] = (static_cast<float>(static_cast<double>(level) * config.rescale) -
                               static_cast<float>(config.mean[channel])) /
                              static_cast<float>(config.deviation[channel]);
  const auto side = static_cast<std::size_t>(config.crop_side),
             width = static_cast<std::size_t>(resized.width);
  const auto left = (width - side) / 2, top = (static_cast<std::size_t>(resized.height) - side) / 2;
  auto pixels = torch::empty({3, config.crop_side, config.crop_side}, torch::kFloat32);
  auto* to = pixels.data_ptr<float>();
  for (std::size_t channel = 0; channel < 3; ++channel)
    for (std::size_t row = 0; row < side; ++row)
      for (std::size_t column = 0; column < side; ++column)
        *to++ = value[channel][resized.pixels[((row + top) * width + column + left) * 3 + channel]];
  return pixels;
}

}  // namespace trainer
