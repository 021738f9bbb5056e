#include "packer/leaks/sound_match.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

#include "packer/leaks/bit_counts.hpp"

namespace packer {
namespace {

constexpr float k_silence_db = -95;  // the loudest band's; 16 bits end near it
constexpr float k_depth_db = 60;     // what lies deeper below the loudest is noise of encoders
constexpr std::size_t k_before = 4;  // frames between which levels change
constexpr float k_sure_db = 1.5F;

// The frames of `a` that meet one of `b`.
struct Overlap {
  std::ptrdiff_t begin, end;
  Overlap(std::ptrdiff_t frames_a, std::ptrdiff_t frames_b, int lag)
      : begin(std::max(0, -lag)), end(std::min(frames_a, frames_b - lag)) {}
};

Overlap overlap_of(const SoundMark& a, const SoundMark& b, int lag) {
  return {static_cast<std::ptrdiff_t>(a.frames()), static_cast<std::ptrdiff_t>(b.frames()), lag};
}

// The mean difference of what is heard in both, around its median, which is the gain.
double level_difference(const SoundMark& a, const SoundMark& b, int lag) {
  constexpr int k_heard = 100 - static_cast<int>(k_depth_db);
  const Overlap overlap = overlap_of(a, b, lag);
  std::vector<int> differences;
  for (std::ptrdiff_t i = overlap.begin; i < overlap.end; ++i)
    for (std::ptrdiff_t band = 0; band < k_wide_bands; ++band) {
      const int x = a.levels[static_cast<std::size_t>(i * k_wide_bands + band)];
      const int y = b.levels[static_cast<std::size_t>((i + lag) * k_wide_bands + band)];
      if (x > k_heard && y > k_heard) differences.push_back(x - y);
    }
  if (differences.empty()) return SoundLikeness{}.difference_db;
  const auto middle = differences.begin() + static_cast<std::ptrdiff_t>(differences.size() / 2);
  std::nth_element(differences.begin(), middle, differences.end());
  const int gain = *middle;
  double sum = 0;
  for (const int difference : differences) sum += std::abs(difference - gain);
  return sum / static_cast<double>(differences.size());
}

void mark_signs(const std::vector<float>& levels, float loudest, SoundMark& mark) {
  const auto heard = [&](std::size_t at) { return levels[at] > loudest - k_depth_db; };
  for (std::size_t frame = k_before; frame < mark.frames(); ++frame)
    for (std::size_t band = 0; band + 1 < k_bands; ++band) {
      const std::size_t now = frame * k_bands + band, before = now - k_before * k_bands;
      const float change = levels[now] - levels[now + 1] - (levels[before] - levels[before + 1]);
      const std::uint32_t bit = std::uint32_t{1} << band;
      if (change > 0) mark.signs[frame] |= bit;
      if (std::abs(change) >= k_sure_db && heard(now) && heard(now + 1) && heard(before) && heard(before + 1))
        mark.sure[frame] |= bit;
    }
  for (const std::uint32_t bits : mark.sure) mark.sure_bits += static_cast<std::size_t>(std::popcount(bits));
}

}  // namespace

SoundMark mark_sound(const std::vector<float>& levels) {
  SoundMark mark;
  const std::size_t frames = levels.size() / k_bands;
  const float loudest = levels.empty() ? -120 : *std::max_element(levels.begin(), levels.end());
  mark.silent = loudest < k_silence_db;
  mark.signs.resize(frames);
  mark.sure.resize(frames);
  mark.levels.reserve(frames * k_wide_bands);
  for (std::size_t i = 0; i + 1 < levels.size(); i += 2)
    mark.levels.push_back(static_cast<std::uint8_t>(
        std::lround(std::clamp((levels[i] + levels[i + 1]) / 2 - loudest + 100, 0.0F, 100.0F))));
  mark_signs(levels, loudest, mark);
  return mark;
}

SoundLikeness compare_at(const SoundMark& a, const SoundMark& b, int lag) {
  SoundLikeness likeness;
  likeness.lag = lag;
  const Overlap overlap = overlap_of(a, b, lag);
  if (overlap.begin >= overlap.end) return likeness;
  const auto at = static_cast<std::size_t>(overlap.begin);
  const auto other = static_cast<std::size_t>(overlap.begin + lag);
  const BitCounts counts = count_bits(&a.signs[at], &a.sure[at], &b.signs[other], &b.sure[other],
                                      static_cast<std::size_t>(overlap.end - overlap.begin));
  likeness.compared = counts.compared;
  if (counts.compared == 0) return likeness;
  const auto compared = static_cast<double>(counts.compared);
  likeness.errors = static_cast<double>(counts.differ) / compared;
  likeness.evidence = (1 - 2 * likeness.errors) * std::sqrt(compared);
  return likeness;
}

std::optional<SoundLikeness> compare_sounds(const SoundMark& a, const SoundMark& b) {
  SoundLikeness best;
  for (int lag = -k_most_lag; lag <= k_most_lag; ++lag) {
    const SoundLikeness found = compare_at(a, b, lag);
    if (found.evidence > best.evidence) best = found;
  }
  if (best.evidence < k_least_evidence || best.errors > k_most_errors) return std::nullopt;
  best.difference_db = level_difference(a, b, best.lag);
  return best;
}

}  // namespace packer
