#include "packer/synthesize/voices.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace packer {
namespace {

using common::Random;
constexpr double k_voice_turn = 2.0 * std::numbers::pi;

// What every voice is made from: samples to fill, its pitch, noise of its own.
struct Voice {
  std::vector<float> samples;
  double rate_hz;
  double pitch;
  Noise noise;

  [[nodiscard]] double length_s() const { return static_cast<double>(samples.size()) / rate_hz; }
  // Fills with make(t); t in seconds.
  template <typename Make>
  void fill(Make make) {
    for (std::size_t i = 0; i < samples.size(); ++i)
      samples[i] = static_cast<float>(make(static_cast<double>(i) / rate_hz));
  }
};

// A phase in turns that follows a frequency that moves.
class Phase {
 public:
  explicit Phase(double rate_hz) : rate_hz_(rate_hz) {}
  double step(double frequency_hz) {
    turns_ += frequency_hz / rate_hz_;
    turns_ -= std::floor(turns_);
    return turns_;
  }
  double sine(double frequency_hz) { return std::sin(k_voice_turn * step(frequency_hz)); }

 private:
  double rate_hz_;
  double turns_ = 0;
};

// 0 to 1 to 0, flat between an attack and a release.
double plateau(double t, double length_s, double attack_s, double release_s) {
  return std::clamp(std::min(t / attack_s, (length_s - t) / release_s), 0.0, 1.0);
}

void ring_bell(Voice& voice) {
  constexpr std::array<double, 4> k_ratios{1.0, 2.76, 5.40, 8.93};  // partials of a struck bar
  constexpr std::array<double, 4> k_levels{1.0, 0.6, 0.4, 0.2};
  std::array<Phase, 4> phases{Phase(voice.rate_hz), Phase(voice.rate_hz), Phase(voice.rate_hz),
                              Phase(voice.rate_hz)};
  voice.fill([&](double t) {
    double sum = 0;
    for (std::size_t k = 0; k < 4; ++k)
      sum += k_levels[k] * std::exp(-t * (3.0 + 2.0 * static_cast<double>(k))) *
             phases[k].sine(620.0 * voice.pitch * k_ratios[k]);
    return sum;
  });
}

void blow_whistle(Voice& voice) {
  Phase tone(voice.rate_hz);
  Resonator breath(2300.0 * voice.pitch, 500.0, voice.rate_hz);
  voice.fill([&](double t) {
    const double frequency_hz = 2300.0 * voice.pitch * (1.0 + 0.012 * std::sin(k_voice_turn * 11.0 * t));
    return plateau(t, voice.length_s(), 0.05, 0.1) *
           (tone.sine(frequency_hz) + 0.6 * breath.step(voice.noise.next()));
  });
}

void beat_drum(Voice& voice) {
  Phase skin(voice.rate_hz);
  LowPass hit(1500.0 * voice.pitch, voice.rate_hz);
  voice.fill([&](double t) {
    const double frequency_hz = voice.pitch * (75.0 + 110.0 * std::exp(-t * 25.0));
    return std::exp(-t * 11.0) * skin.sine(frequency_hz) +
           0.8 * std::exp(-t * 60.0) * hit.step(voice.noise.next());
  });
}

void bark_dog(Voice& voice) {
  Phase throat(voice.rate_hz);
  Resonator mouth(900.0 * voice.pitch, 350.0, voice.rate_hz);
  voice.fill([&](double t) {
    const double part = t / voice.length_s();
    const double saw = 2.0 * throat.step(voice.pitch * (430.0 - 190.0 * part)) - 1.0;
    return std::pow(std::sin(std::numbers::pi * part), 0.7) *
           (0.4 * saw + 1.6 * mouth.step(saw + 0.7 * voice.noise.next()));
  });
}

void chirp_bird(Voice& voice) {
  Phase song(voice.rate_hz);
  voice.fill([&](double t) {
    const double part = std::fmod(t, 0.11) / 0.11;  // quick notes, each sweeping upward
    return std::sin(std::numbers::pi * part) * song.sine(voice.pitch * (3300.0 + 1900.0 * part));
  });
}

void honk_horn(Voice& voice) {
  Phase low(voice.rate_hz), high(voice.rate_hz);
  LowPass bell(2200.0 * voice.pitch, voice.rate_hz);
  voice.fill([&](double t) {
    const double chord = low.step(310.0 * voice.pitch) + high.step(392.0 * voice.pitch) - 1.0;
    return plateau(t, voice.length_s(), 0.02, 0.06) * bell.step(chord);
  });
}

void beep_alarm(Voice& voice) {
  Phase tone(voice.rate_hz);
  voice.fill([&](double t) {
    const double sine = tone.sine(1250.0 * voice.pitch);
    return plateau(t, voice.length_s(), 0.005, 0.005) * std::tanh(4.0 * sine);
  });
}

void tap_hammer(Voice& voice) {
  Phase wood(voice.rate_hz), edge(voice.rate_hz);
  voice.fill([&](double t) {
    return std::exp(-t * 45.0) * wood.sine(950.0 * voice.pitch) +
           0.5 * std::exp(-t * 70.0) * edge.sine(2600.0 * voice.pitch) +
           0.2 * std::exp(-t * 250.0) * voice.noise.next();
  });
}

void meow_cat(Voice& voice) {
  Phase throat(voice.rate_hz);
  voice.fill([&](double t) {
    const double part = t / voice.length_s();
    const double bend = std::sin(std::numbers::pi * part);
    const double turns = throat.step(voice.pitch * (520.0 + 240.0 * bend));
    double sum = 0;  // the mouth opens: the strongest harmonic climbs from the first to the third and back
    for (int k = 1; k <= 4; ++k) {
      const double away = static_cast<double>(k) - (1.0 + 2.0 * bend);
      sum += std::exp(-away * away) * std::sin(k_voice_turn * k * turns);
    }
    return plateau(t, voice.length_s(), 0.08, 0.2) * sum;
  });
}

void croak_frog(Voice& voice) {
  Phase pulse(voice.rate_hz);
  Resonator sac(520.0 * voice.pitch, 120.0, voice.rate_hz);
  voice.fill([&](double t) {
    const double turns = pulse.step(34.0);
    const double in = turns < 0.12 ? 1.0 + 0.3 * voice.noise.next() : -0.12;
    return plateau(t, voice.length_s(), 0.03, 0.1) * sac.step(in);
  });
}

void wail_siren(Voice& voice) {
  Phase tone(voice.rate_hz);
  voice.fill([&](double t) {
    const double sweep = 0.5 - 0.5 * std::cos(k_voice_turn * t / 2.4);
    const double sine = tone.sine(voice.pitch * (560.0 + 760.0 * sweep));
    return sine - 0.35 * sine * sine * sine;
  });
}

void run_engine(Voice& voice) {
  Phase crank(voice.rate_hz), slow(voice.rate_hz);
  LowPass muffler(420.0 * voice.pitch, voice.rate_hz), second(900.0 * voice.pitch, voice.rate_hz);
  voice.fill([&](double) {
    const double wobble = 1.0 + 0.04 * slow.sine(1.7);
    const double turns = crank.step(58.0 * voice.pitch * wobble);
    const double fire = (turns < 0.3 ? 1.0 : -0.43) + 0.5 * voice.noise.next() * (1.0 - turns);
    return second.step(muffler.step(fire));
  });
}

void tick_clock(Voice& voice) {
  Resonator wheel(3800.0 * voice.pitch, 400.0, voice.rate_hz);
  voice.fill([&](double t) {
    const double since = std::fmod(t, 0.5);
    return wheel.step(std::exp(-since * 120.0) * voice.noise.next());
  });
}

void buzz_saw(Voice& voice) {
  Phase blade(voice.rate_hz), stroke(voice.rate_hz);
  Resonator body(1700.0 * voice.pitch, 900.0, voice.rate_hz);
  voice.fill([&](double) {
    const double teeth = 2.0 * blade.step(210.0 * voice.pitch) - 1.0;
    const double push = 0.65 + 0.35 * stroke.sine(2.8);
    return push * (0.5 * teeth + body.step(teeth + 0.8 * voice.noise.next()));
  });
}

void make_voice(SoundKind kind, Voice& voice) {
  switch (kind) {
    case SoundKind::bell:
      return ring_bell(voice);
    case SoundKind::whistle:
      return blow_whistle(voice);
    case SoundKind::drum:
      return beat_drum(voice);
    case SoundKind::dog:
      return bark_dog(voice);
    case SoundKind::bird:
      return chirp_bird(voice);
    case SoundKind::horn:
      return honk_horn(voice);
    case SoundKind::alarm:
      return beep_alarm(voice);
    case SoundKind::hammer:
      return tap_hammer(voice);
    case SoundKind::cat:
      return meow_cat(voice);
    case SoundKind::frog:
      return croak_frog(voice);
    case SoundKind::siren:
      return wail_siren(voice);
    case SoundKind::engine:
      return run_engine(voice);
    case SoundKind::clock:
      return tick_clock(voice);
    case SoundKind::saw:
      return buzz_saw(voice);
  }
}

// A step at either end would be heard as a click of its own.
void fade_ends(std::vector<float>& samples, double rate_hz) {
  const std::size_t fade = std::min(static_cast<std::size_t>(0.008 * rate_hz), samples.size() / 2);
  for (std::size_t i = 0; i < fade; ++i) {
    const float part = static_cast<float>(i) / static_cast<float>(fade);
    samples[samples.size() - 1 - i] *= part;
    // The attack of a struck thing lies in its first milliseconds: there only the first is faded.
    if (i * 8 < fade) samples[i] *= std::min(1.0F, 8.0F * part);
  }
}

void scale_to_peak(std::vector<float>& samples) {
  float peak = 0;
  for (const float sample : samples) peak = std::max(peak, std::abs(sample));
  if (peak <= 0) return;
  for (float& sample : samples) sample /= peak;
}

}  // namespace

Resonator::Resonator(double centre_hz, double bandwidth_hz, double rate_hz) {
  const double radius = std::exp(-std::numbers::pi * bandwidth_hz / rate_hz);
  const double angle = k_voice_turn * std::min(centre_hz, 0.45 * rate_hz) / rate_hz;
  a1_ = 2.0 * radius * std::cos(angle);
  a2_ = -radius * radius;
  gain_ = (1.0 - radius) * std::sqrt(1.0 - 2.0 * radius * std::cos(2.0 * angle) + radius * radius);
}

LowPass::LowPass(double cutoff_hz, double rate_hz)
    : a_(1.0 - std::exp(-k_voice_turn * cutoff_hz / rate_hz)) {}

double voice_length_s(SoundKind kind) {
  constexpr std::array<double, k_sound_kinds> k_lengths_s{1.0, 0.7,  0.5, 0.3, 0.55, 0.7, 0.35,
                                                          0.2, 0.85, 0.5, 0,   0,    0,   0};
  return k_lengths_s[static_cast<std::size_t>(kind)];
}

std::vector<float> render_voice(SoundKind kind, double pitch, double length_s, int rate_hz, Random& random) {
  const double seconds = is_countable(kind) ? voice_length_s(kind) : length_s;
  Voice voice{std::vector<float>(static_cast<std::size_t>(seconds * rate_hz)), static_cast<double>(rate_hz),
              pitch, Noise(random)};
  make_voice(kind, voice);
  scale_to_peak(voice.samples);
  fade_ends(voice.samples, rate_hz);
  return std::move(voice.samples);
}

}  // namespace packer
