#include "packer/vision/sound.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/core.hpp>
#include <vector>

namespace packer::vision {
namespace {

// A quarter of a second: frames a whole hop apart still see mostly the same samples.
constexpr int k_window = 2048;
constexpr double k_lowest_hz = 150, k_highest_hz = 3400;

std::array<int, k_bands + 1> band_edges() {
  std::array<int, k_bands + 1> edges{};
  for (int i = 0; i <= k_bands; ++i) {
    const double hz = k_lowest_hz * std::pow(k_highest_hz / k_lowest_hz, static_cast<double>(i) / k_bands);
    edges[static_cast<std::size_t>(i)] = static_cast<int>(std::lround(hz * k_window / k_sound_rate_hz));
  }
  return edges;
}

std::vector<float> hann() {
  std::vector<float> window(k_window);
  for (std::size_t i = 0; i < window.size(); ++i)
    window[i] =
        static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / k_window));
  return window;
}

}  // namespace

void measure_sound(const float* samples, std::size_t count, float* levels) {
  static const std::array<int, k_bands + 1> k_edges = band_edges();
  static const std::vector<float> k_hann = hann();
  cv::Mat frame(1, k_window, CV_32F), spectrum;
  for (std::size_t number = 0; number < sound_frames(count); ++number) {
    // Its middle is at number * k_hop; before the sound and behind it there is silence.
    const auto begin = static_cast<std::ptrdiff_t>(number) * k_hop - k_window / 2;
    float* const to = frame.ptr<float>(0);
    for (std::ptrdiff_t i = 0; i < k_window; ++i) {
      const std::ptrdiff_t at = begin + i;
      const bool inside = at >= 0 && at < static_cast<std::ptrdiff_t>(count);
      to[i] = inside ? samples[at] * k_hann[static_cast<std::size_t>(i)] : 0;
    }
    // As "CCS": the real part of 0, then real and imaginary parts in turn.
    cv::dft(frame, spectrum);
    const float* const values = spectrum.ptr<float>(0);
    for (std::size_t band = 0; band < k_bands; ++band) {
      double power = 1e-12;
      for (int bin = k_edges[band]; bin < k_edges[band + 1]; ++bin) {
        const double real = values[2 * bin - 1], imaginary = values[2 * bin];
        power += (real * real + imaginary * imaginary) / (static_cast<double>(k_window) * k_window);
      }
      levels[number * k_bands + band] = static_cast<float>(10 * std::log10(power));
    }
  }
}

}  // namespace packer::vision
