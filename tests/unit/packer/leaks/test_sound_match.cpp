#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/media/audio.hpp"
#include "packer/leaks/sound_match.hpp"
#include "packer/leaks/vision.hpp"
#include "tests/support/vision.hpp"

#include <doctest/doctest.h>

namespace {

using common::Waveform;
using support::vision;

constexpr int k_rate = 16000;

// Eleven seconds of bursts of noise and of tones, at times and pitches of the seed's.
Waveform soundscape(std::uint32_t seed) {
  std::uint32_t state = seed * 2654435761U + 99U;
  const auto draw = [&] {
    state = state * 1664525U + 1013904223U;
    return (state >> 8) / 16777216.0;
  };
  Waveform sound{k_rate, 1, std::vector<float>(11 * k_rate)};
  for (int event = 0; event < 40; ++event) {
    const auto begin = static_cast<std::size_t>(draw() * 10.5 * k_rate);
    const double length = (0.1 + draw() * 0.6) * k_rate, pitch = 200 + 2500 * draw() * draw(),
                 level = 0.02 + 0.1 * draw();
    const bool is_noise = event % 2 == 0;
    double low = 0;
    for (std::size_t i = 0; static_cast<double>(i) < length && begin + i < sound.samples.size(); ++i) {
      low += (pitch / 3000) * (2 * draw() - 1 - low);
      const double value =
          is_noise ? 2 * low : std::sin(2 * 3.14159265 * pitch * static_cast<double>(i) / k_rate);
      sound.samples[begin + i] +=
          static_cast<float>(level * value * std::exp(-3 * static_cast<double>(i) / length));
    }
  }
  return sound;
}

Waveform cut(const Waveform& sound, double from_s, double to_s) {
  return {sound.rate_hz,
          1,
          {sound.samples.begin() + static_cast<std::ptrdiff_t>(from_s * sound.rate_hz),
           sound.samples.begin() + static_cast<std::ptrdiff_t>(to_s * sound.rate_hz)}};
}

Waveform gained(Waveform sound, double gain) {
  for (float& sample : sound.samples) sample = std::clamp(static_cast<float>(sample * gain), -1.0F, 1.0F);
  return sound;
}

Waveform at_rate(const Waveform& sound, int rate_hz) { return {rate_hz, 1, common::to_mono(sound, rate_hz)}; }

// Few steps: what an encoder with loss does, and worse.
Waveform coarse(Waveform sound, double steps) {
  for (float& sample : sound.samples) sample = static_cast<float>(std::round(sample * steps) / steps);
  return sound;
}

Waveform stereo(const Waveform& sound) {
  Waveform both{sound.rate_hz, 2, {}};
  for (const float sample : sound.samples) {
    both.samples.push_back(sample);
    both.samples.push_back(0.4F * sample);
  }
  return both;
}

struct SoundChange {
  std::string name;
  std::function<Waveform(const Waveform&)> make;  // of the eleven seconds; the clip is the first ten
};

const std::vector<SoundChange> k_sound_changes = {
    {"the same", [](const Waveform& s) { return cut(s, 0, 10); }},
    {"12 dB louder", [](const Waveform& s) { return gained(cut(s, 0, 10), 4); }},
    {"12 dB quieter", [](const Waveform& s) { return gained(cut(s, 0, 10), 0.25); }},
    {"8 kHz", [](const Waveform& s) { return at_rate(cut(s, 0, 10), 8000); }},
    {"22.05 kHz", [](const Waveform& s) { return at_rate(cut(s, 0, 10), 22050); }},
    {"44.1 kHz", [](const Waveform& s) { return at_rate(cut(s, 0, 10), 44100); }},
    {"stereo", [](const Waveform& s) { return stereo(cut(s, 0, 10)); }},
    {"a second later", [](const Waveform& s) { return cut(s, 1, 11); }},
    {"a third of a second later", [](const Waveform& s) { return cut(s, 0.333, 10.333); }},
    {"without its first second", [](const Waveform& s) { return cut(s, 1, 10); }},
    {"without its last second", [](const Waveform& s) { return cut(s, 0, 9); }},
    {"in few steps", [](const Waveform& s) { return coarse(cut(s, 0, 10), 400); }},
    {"a second later, 11.025 kHz, quieter",
     [](const Waveform& s) { return gained(at_rate(cut(s, 1, 11), 11025), 0.3); }},
};

packer::SoundMark mark_of(const Waveform& sound) {
  return packer::mark_sound(vision()->levels(common::to_mono(sound, packer::k_sound_rate_hz)));
}

}  // namespace

TEST_CASE("a sound is found in each of its changed copies, and the shift is told") {
  if (vision() == nullptr) return;
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    const Waveform whole = soundscape(seed);
    const packer::SoundMark mark = mark_of(cut(whole, 0, 10));
    for (const SoundChange& change : k_sound_changes) {
      CAPTURE(seed);
      CAPTURE(change.name);
      const packer::SoundMark copy = mark_of(change.make(whole));
      for (const auto& likeness : {packer::compare_sounds(mark, copy), packer::compare_sounds(copy, mark)}) {
        REQUIRE(likeness);
        CAPTURE(likeness->errors);
        CAPTURE(likeness->evidence);
        CAPTURE(likeness->difference_db);
        CHECK(likeness->is_near_duplicate());
      }
    }
  }
  const Waveform whole = soundscape(4);
  const auto later = packer::compare_sounds(mark_of(cut(whole, 0, 10)), mark_of(cut(whole, 1, 11)));
  REQUIRE(later);
  const double shift_s = static_cast<double>(later->lag) * packer::k_hop / packer::k_sound_rate_hz;
  CHECK(shift_s == doctest::Approx(-1).epsilon(0.05));
}

TEST_CASE("sounds that have nothing to do with each other stay apart, two draws of one noise too") {
  if (vision() == nullptr) return;
  std::vector<packer::SoundMark> marks;
  for (std::uint32_t seed = 1; seed <= 20; ++seed) marks.push_back(mark_of(cut(soundscape(seed), 0, 10)));
  std::uint32_t state = 1;
  for (int rain = 0; rain < 6; ++rain) {
    Waveform noise{k_rate, 1, std::vector<float>(10 * k_rate)};
    for (float& sample : noise.samples) {
      state = state * 1664525U + 1013904223U;
      sample = static_cast<float>((state >> 8) / 16777216.0 - 0.5) * 0.3F;
    }
    marks.push_back(mark_of(noise));
  }
  for (std::size_t i = 0; i < marks.size(); ++i)
    for (std::size_t j = i + 1; j < marks.size(); ++j) {
      CAPTURE(i);
      CAPTURE(j);
      const auto likeness = packer::compare_sounds(marks[i], marks[j]);
      CHECK_FALSE((likeness && likeness->is_near_duplicate()));
    }
}

TEST_CASE("of a clip of two seconds the second that is left after a shift is found") {
  if (vision() == nullptr) return;
  std::size_t compared = 0;
  for (const std::uint32_t seed : {1U, 2U, 3U, 4U, 5U, 6U}) {
    const Waveform whole = soundscape(seed);
    const packer::SoundMark mark = mark_of(cut(whole, 3, 5)), copy = mark_of(cut(whole, 4, 5));
    if (mark.has_too_little() || copy.has_too_little()) continue;
    ++compared;
    CAPTURE(seed);
    const auto likeness = packer::compare_sounds(mark, copy);
    REQUIRE(likeness);
    CHECK(likeness->is_near_duplicate());
  }
  CHECK(compared >= 4);
}

TEST_CASE("the fewer signs are compared, the fewer of them may differ") {
  // The first `differing` of `signs` signs differ; what is left has no signs.
  const auto likeness_of = [](std::size_t signs, std::size_t differing) {
    packer::SoundMark a, b;
    for (std::size_t i = 0; i < signs; ++i) {
      a.signs.push_back(0);
      b.signs.push_back(i < differing ? 1 : 0);
      a.sure.push_back(1);
      b.sure.push_back(1);
    }
    a.levels.assign(signs * packer::k_wide_bands, 90);
    b.levels = a.levels;
    packer::SoundLikeness likeness = packer::compare_at(a, b, 0);
    likeness.difference_db = 0;
    return likeness;
  };
  CHECK(likeness_of(64, 0).is_near_duplicate());
  CHECK_FALSE(likeness_of(63, 0).is_near_duplicate());
  CHECK_FALSE(likeness_of(100, 11).is_near_duplicate());
  CHECK(likeness_of(200, 22).is_near_duplicate());
  CHECK(likeness_of(1000, 200).is_near_duplicate());
  CHECK_FALSE(likeness_of(1000, 201).is_near_duplicate());
  CHECK(likeness_of(0, 0).evidence == 0);
}

TEST_CASE("half a second is too short to be told, and so is what has no frames in common") {
  if (vision() == nullptr) return;
  CHECK(mark_of(cut(soundscape(1), 2, 2.2)).has_too_little());
  const packer::SoundMark mark = mark_of(cut(soundscape(1), 0, 10));
  CHECK(packer::compare_at(mark, mark, 1000).compared == 0);
  CHECK(packer::compare_at(mark, mark, -1000).compared == 0);
}

TEST_CASE("silence, a constant and a steady tone have nothing to tell them by") {
  if (vision() == nullptr) return;
  Waveform silent{k_rate, 1, std::vector<float>(10 * k_rate)};
  CHECK(mark_of(silent).silent);
  Waveform constant{k_rate, 1, std::vector<float>(10 * k_rate, 0.5F)};
  CHECK(mark_of(constant).has_too_little());
  CHECK(packer::mark_sound({}).has_too_little());
}
