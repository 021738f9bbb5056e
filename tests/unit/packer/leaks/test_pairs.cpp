// What is found among many at once is what comparing each with each finds.
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "packer/leaks/picture_pairs.hpp"
#include "packer/leaks/sound_pairs.hpp"

#include <doctest/doctest.h>

namespace {

using Pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

// Levels that wander from frame to frame, as those of overlapping windows do. `steadiness` of 1 is a sound
// that never changes.
std::vector<float> wandering_levels(std::mt19937& random, std::size_t frames, double steadiness) {
  std::normal_distribution<float> draw(0, 9);
  std::vector<float> levels(frames * packer::k_bands);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const float fresh = draw(random) * static_cast<float>(1 - steadiness);
    levels[i] =
        i < packer::k_bands ? -30 + draw(random) : -30 + 0.75F * (levels[i - packer::k_bands] + 30) + fresh;
  }
  return levels;
}

std::vector<float> with_noise(std::vector<float> levels, std::mt19937& random, float deviation_db) {
  std::normal_distribution<float> draw(0, deviation_db);
  for (float& level : levels) level += draw(random);
  return levels;
}

std::vector<float> later(const std::vector<float>& levels, std::size_t frames) {
  return {levels.begin() + static_cast<std::ptrdiff_t>(frames * packer::k_bands), levels.end()};
}

}  // namespace

TEST_CASE("the index of sounds finds each pair that comparing each with each finds") {
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::vector<packer::SoundMark> marks;
    std::vector<std::uint32_t> groups;
    for (std::uint32_t i = 0; i < 40; ++i) {
      // Of half a second to ten, lively and steady.
      const std::size_t frames = 16 + random() % 300;
      const std::vector<float> levels = wandering_levels(random, frames, 0.2 * (i % 5));
      const auto noise = static_cast<float>(0.2 * static_cast<double>(random() % 8));
      for (const auto& copy : {levels, with_noise(levels, random, noise),
                               later(with_noise(levels, random, 1), random() % (frames / 2))}) {
        marks.push_back(packer::mark_sound(copy));
        groups.push_back(static_cast<std::uint32_t>(random() % 3));
      }
    }
    Pairs one_by_one, found;
    for (std::uint32_t i = 0; i < marks.size(); ++i)
      for (std::uint32_t j = i + 1; j < marks.size(); ++j) {
        if (groups[i] == groups[j]) continue;
        const auto likeness = packer::compare_sounds(marks[i], marks[j]);
        if (likeness && likeness->is_near_duplicate()) one_by_one.emplace_back(i, j);
      }
    for (const packer::SoundPair& pair : packer::find_sound_pairs(marks, groups, 2))
      found.emplace_back(pair.a, pair.b);
    CHECK(found == one_by_one);
    CHECK(found.size() >= 20);
  }
}

TEST_CASE("nothing, one sound and sounds of one group give no pairs") {
  CHECK(packer::find_sound_pairs({}, {}, 1).empty());
  CHECK(packer::find_picture_pairs({}, {}, 1).empty());
  std::mt19937 random(7);
  const packer::SoundMark mark = packer::mark_sound(wandering_levels(random, 300, 0));
  REQUIRE_FALSE(mark.has_too_little());
  const std::vector<packer::SoundMark> marks = {mark, mark};
  CHECK(packer::find_sound_pairs(marks, std::vector<std::uint32_t>{4, 4}, 1).empty());
  const auto pairs = packer::find_sound_pairs(marks, std::vector<std::uint32_t>{4, 5}, 1);
  REQUIRE(pairs.size() == 1);
  CHECK(pairs[0].a == 0);
  CHECK(pairs[0].b == 1);
  CHECK(pairs[0].likeness.errors == 0);
}
