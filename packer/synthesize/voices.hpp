// One sound of each kind: sines, frequency modulation, filtered noise, envelopes. Peak 1, silent at both
// ends.
#pragma once

#include <cstdint>
#include <vector>

#include "common/random.hpp"
#include "packer/synthesize/caption.hpp"

namespace packer {

// White noise in [-1, 1): a 64-bit xorshift seeded by a draw, because a clip needs half a million of them.
class Noise {
 public:
  explicit Noise(common::Random& random) : state_(random.getrandbits(64) | 1U) {}
  float next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<float>(static_cast<std::int64_t>(state_) >> 40) * (1.0F / (1 << 23));
  }

 private:
  std::uint64_t state_;
};

// A two-pole resonance; about unit gain at its centre.
class Resonator {
 public:
  Resonator(double centre_hz, double bandwidth_hz, double rate_hz);
  double step(double in) {
    const double out = gain_ * in + a1_ * y1_ + a2_ * y2_;
    y2_ = y1_;
    y1_ = out;
    return out;
  }

 private:
  double gain_ = 0, a1_ = 0, a2_ = 0, y1_ = 0, y2_ = 0;
};

// A one-pole low pass.
class LowPass {
 public:
  LowPass(double cutoff_hz, double rate_hz);
  double step(double in) { return y_ += a_ * (in - y_); }

 private:
  double a_ = 0, y_ = 0;
};

// How long one sound of a countable kind lasts.
[[nodiscard]] double voice_length_s(SoundKind kind);
// `pitch` multiplies every frequency. Countable kinds last voice_length_s, the others `length_s`.
[[nodiscard]] std::vector<float> render_voice(SoundKind kind, double pitch, double length_s, int rate_hz,
                                              common::Random& random);

}  // namespace packer
