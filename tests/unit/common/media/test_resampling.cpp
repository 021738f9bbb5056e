// What resampling does to a sound, measured with tones: what it keeps, what it adds, what it lets through
// that the new rate cannot hold. Levels in dB are relative to the tone.
#include <cmath>
#include <numbers>
#include <vector>

#include "common/media/audio.hpp"

#include <doctest/doctest.h>

namespace {

constexpr double k_amplitude = 0.5;

common::Waveform tone(int rate_hz, double hz) {
  common::Waveform wave{rate_hz, 1, {}};
  for (int i = 0; i < rate_hz; ++i)
    wave.samples.push_back(
        static_cast<float>(k_amplitude * std::sin(2 * std::numbers::pi * hz * i / rate_hz)));
  return wave;
}

double decibels(double ratio) { return 20 * std::log10(std::max(ratio, 1e-20)); }

struct Levels {
  double tone_db = 0;  // of the tone that is there, relative to the one that was
  double rest_db = 0;  // of all that is not the tone
};

// A tone of `hz` fitted to what became of it (least squares over its two phases), without the ends, where the
// filter sees silence.
Levels after_resampling(int from_hz, int to_hz, double hz) {
  const std::vector<float> made = common::to_mono(tone(from_hz, hz), to_hz);
  const std::size_t begin = made.size() / 5, end = made.size() - begin;
  const auto phase = [&](std::size_t i) {
    return 2 * std::numbers::pi * hz * static_cast<double>(i) / to_hz;
  };
  double ss = 0, cc = 0, sc = 0, ys = 0, yc = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const double s = std::sin(phase(i)), c = std::cos(phase(i)), y = made[i];
    ss += s * s;
    cc += c * c;
    sc += s * c;
    ys += y * s;
    yc += y * c;
  }
  const double det = ss * cc - sc * sc;
  const double a = (ys * cc - yc * sc) / det, b = (yc * ss - ys * sc) / det;
  double rest = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const double left = made[i] - a * std::sin(phase(i)) - b * std::cos(phase(i));
    rest += left * left;
  }
  const double rms = k_amplitude / std::numbers::sqrt2;
  return {decibels(std::hypot(a, b) / k_amplitude),
          decibels(std::sqrt(rest / static_cast<double>(end - begin)) / rms)};
}

struct Rates {
  int from_hz, to_hz;
};
// AudioCaps' usual rates, and those below and above.
const std::vector<Rates> k_rates = {{44100, 48000}, {16000, 48000}, {32000, 48000},
                                    {22050, 48000}, {96000, 48000}, {48000, 16000}};

// Of a part of what both rates can hold.
struct Fading {
  double part, at_most_db;
};

}  // namespace

TEST_CASE("up to 0.91 of what both rates can hold a tone stays as loud as it was, and nothing is added") {
  double worst_change_db = 0, worst_rest_db = -1000;
  for (const Rates rates : k_rates)
    for (const double part : {0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.91}) {
      const Levels levels =
          after_resampling(rates.from_hz, rates.to_hz, part * std::min(rates.from_hz, rates.to_hz) / 2);
      CAPTURE(rates.from_hz);
      CAPTURE(rates.to_hz);
      CAPTURE(part);
      CHECK(std::abs(levels.tone_db) < 0.01);
      CHECK(levels.rest_db < -140);
      worst_change_db = std::max(worst_change_db, std::abs(levels.tone_db));
      worst_rest_db = std::max(worst_rest_db, levels.rest_db);
    }
  MESSAGE("pass band to 0.91: within ", worst_change_db, " dB; noise and images ", worst_rest_db, " dB");
}

TEST_CASE("between 0.91 and 1 a tone fades, by half its power at 0.95, and leaves no image") {
  for (const Rates rates : {Rates{44100, 48000}, Rates{16000, 48000}})
    for (const Fading fading : {Fading{0.93, -0.03}, {0.95, -2.8}, {0.97, -20}, {0.99, -75}, {0.999, -130}}) {
      const Levels levels = after_resampling(rates.from_hz, rates.to_hz, fading.part * rates.from_hz / 2);
      CAPTURE(fading.part);
      CHECK(levels.tone_db < fading.at_most_db);
      CHECK(levels.rest_db < -140);
      if (fading.part == 0.95) CHECK(levels.tone_db > -3.2);
    }
}

TEST_CASE("a tone that the new rate cannot hold is gone, and does not come back as another") {
  double worst_db = -1000;
  for (const double hz : {24010.0, 25000.0, 30000.0, 40000.0, 47000.0}) {
    const Levels levels = after_resampling(96000, 48000, hz);  // folded, it would be found at 48000 - hz
    CAPTURE(hz);
    CHECK(levels.tone_db < -130);
    CHECK(levels.rest_db < -130);
    worst_db = std::max({worst_db, levels.tone_db, levels.rest_db});
  }
  MESSAGE("beyond the new rate: ", worst_db, " dB");
}
