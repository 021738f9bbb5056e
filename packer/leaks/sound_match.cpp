#include "packer/leaks/sound_match.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace packer {
namespace {

constexpr float k_silence_db = -95;  // the loudest band's; 16 bits end near it
constexpr float k_depth_db = 60;     // what lies deeper below the loudest is noise of encoders
constexpr std::size_t k_before = 4;  // frames between which levels change
constexpr float k_sure_db = 1.5F;
constexpr double k_shape_db = 7;
constexpr int k_most_lag = 60;  // frames: two seconds

struct Agreement {
  std::size_t compared = 0, differ = 0;
};

// `b` is `lag` frames later: its frame i + lag against a's frame i.
Agreement agreement_at(const SoundMark& a, const SoundMark& b, int lag, std::size_t step) {
  Agreement agreement;
  const auto frames_a = static_cast<std::ptrdiff_t>(a.frames()),
             frames_b = static_cast<std::ptrdiff_t>(b.frames());
  const std::ptrdiff_t end = std::min(frames_a, frames_b - lag);
  for (std::ptrdiff_t i = std::max(0, -lag); i < end; i += static_cast<std::ptrdiff_t>(step)) {
    const auto at = static_cast<std::size_t>(i), other = static_cast<std::size_t>(i + lag);
    const std::uint32_t both = a.sure[at] & b.sure[other];
    agreement.compared += static_cast<std::size_t>(std::popcount(both));
    agreement.differ += static_cast<std::size_t>(std::popcount((a.signs[at] ^ b.signs[other]) & both));
  }
  return agreement;
}

// How much better than chance, in standard deviations of independent bits.
double evidence(const Agreement& agreement) {
  if (agreement.compared == 0) return 0;
  const auto compared = static_cast<double>(agreement.compared);
  return (0.5 * compared - static_cast<double>(agreement.differ)) / std::sqrt(compared);
}

// The sure bits of `of` that lie where the other sound is at all.
std::size_t sure_within(const SoundMark& of, std::ptrdiff_t begin, std::ptrdiff_t end) {
  std::size_t bits = 0;
  for (std::ptrdiff_t i = std::max<std::ptrdiff_t>(0, begin);
       i < std::min(end, static_cast<std::ptrdiff_t>(of.frames())); ++i)
    bits += static_cast<std::size_t>(std::popcount(of.sure[static_cast<std::size_t>(i)]));
  return bits;
}

double level_difference(const SoundMark& a, const SoundMark& b, int lag) {
  std::vector<int> differences;
  const auto frames_a = static_cast<std::ptrdiff_t>(a.frames()),
             frames_b = static_cast<std::ptrdiff_t>(b.frames());
  for (std::ptrdiff_t i = std::max(0, -lag); i < std::min(frames_a, frames_b - lag); ++i)
    for (std::ptrdiff_t band = 0; band < k_bands; ++band) {
      constexpr int k_heard = 100 - static_cast<int>(k_depth_db);
      const int x = a.levels[static_cast<std::size_t>(i * k_bands + band)];
      const int y = b.levels[static_cast<std::size_t>((i + lag) * k_bands + band)];
      if (x > k_heard && y > k_heard) differences.push_back(x - y);
    }
  if (differences.empty()) return 100;
  const auto middle = differences.begin() + static_cast<std::ptrdiff_t>(differences.size() / 2);
  std::nth_element(differences.begin(), middle, differences.end());
  const int gain = *middle;
  double sum = 0;
  for (const int difference : differences) sum += std::abs(difference - gain);
  return sum / static_cast<double>(differences.size());
}

}  // namespace

SoundMark mark_sound(const std::vector<float>& levels) {
  SoundMark mark;
  const std::size_t frames = levels.size() / k_bands;
  const float loudest = levels.empty() ? -120 : *std::max_element(levels.begin(), levels.end());
  mark.silent = loudest < k_silence_db;
  mark.signs.resize(frames);
  mark.sure.resize(frames);
  mark.levels.resize(levels.size());
  for (std::size_t i = 0; i < levels.size(); ++i)
    mark.levels[i] =
        static_cast<std::uint8_t>(std::lround(std::clamp(levels[i] - loudest + 100, 0.0F, 100.0F)));
  const auto heard = [&](std::size_t at) { return levels[at] > loudest - k_depth_db; };
  for (std::size_t frame = k_before; frame < frames; ++frame)
    for (std::size_t band = 0; band + 1 < k_bands; ++band) {
      const std::size_t now = frame * k_bands + band, before = now - k_before * k_bands;
      const float change = levels[now] - levels[now + 1] - (levels[before] - levels[before + 1]);
      const std::uint32_t bit = std::uint32_t{1} << band;
      if (change > 0) mark.signs[frame] |= bit;
      if (std::abs(change) >= k_sure_db && heard(now) && heard(now + 1) && heard(before) && heard(before + 1))
        mark.sure[frame] |= bit;
    }
  mark.sure_bits = sure_within(mark, 0, static_cast<std::ptrdiff_t>(frames));
  // The power of all time, so that silence around an event does not matter.
  float mean = 0;
  for (std::size_t band = 0; band < k_bands; ++band) {
    double power = 1e-12;
    for (std::size_t frame = 0; frame < frames; ++frame)
      power += std::pow(10.0, (levels[frame * k_bands + band] - loudest) / 10.0);
    mark.shape[band] = std::max(
        -50.0F,
        static_cast<float>(10 * std::log10(power / static_cast<double>(std::max<std::size_t>(frames, 1)))));
    mean += mark.shape[band] / k_bands;
  }
  for (float& level : mark.shape) level -= mean;
  return mark;
}

std::optional<SoundLikeness> compare_sounds(const SoundMark& a, const SoundMark& b) {
  double apart = 0;
  for (std::size_t band = 0; band < k_bands; ++band)
    apart += std::abs(a.shape[band] - b.shape[band]) / k_bands;
  if (apart > k_shape_db) return std::nullopt;
  int best = 0;
  double most = -1;
  const auto look = [&](int from, int to, int by, std::size_t step) {
    for (int lag = from; lag <= to; lag += by) {
      const double found = evidence(agreement_at(a, b, lag, step));
      if (found <= most) continue;
      most = found;
      best = lag;
    }
  };
  look(-k_most_lag, k_most_lag, 2, 2);
  most = -1;
  look(best - 2, best + 2, 1, 1);
  const Agreement agreement = agreement_at(a, b, best, 1);
  SoundLikeness likeness;
  likeness.lag = best;
  if (agreement.compared > 0)
    likeness.errors = static_cast<double>(agreement.differ) / static_cast<double>(agreement.compared);
  likeness.difference_db = level_difference(a, b, best);
  const auto frames_a = static_cast<std::ptrdiff_t>(a.frames()),
             frames_b = static_cast<std::ptrdiff_t>(b.frames());
  const std::size_t sure =
      std::min(sure_within(a, -best, frames_b - best), sure_within(b, best, frames_a + best));
  likeness.shared = agreement.compared < 40 ? 0
                                            : static_cast<double>(agreement.compared) /
                                                  static_cast<double>(std::max<std::size_t>(sure, 1));
  return likeness;
}

}  // namespace packer
