#include "packer/synthesize/sound.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "common/error.hpp"
#include "packer/synthesize/voices.hpp"

namespace packer {
namespace {

using common::Random;
using common::Waveform;
constexpr double k_turn = 2.0 * std::numbers::pi;

struct Span {
  double from_s = 0;
  double to_s = 0;
  [[nodiscard]] double length_s() const { return to_s - from_s; }
};

void mix_in(Waveform& sound, const std::vector<float>& voice, double at_s, double gain, double pan) {
  const auto channels = static_cast<std::size_t>(sound.channels);
  const auto first = static_cast<std::size_t>(std::max(0.0, at_s) * sound.rate_hz);
  const std::size_t count =
      std::min(voice.size(), sound.frames() - std::min(first, std::size_t{sound.frames()}));
  for (std::size_t c = 0; c < channels; ++c) {
    // The two sides together keep the level that one channel would have.
    const double side = channels == 1 ? 1.0 : (c == 0 ? 1.0 - pan : 1.0 + pan);
    const auto level = static_cast<float>(gain * side);
    for (std::size_t i = 0; i < count; ++i) sound.samples[(first + i) * channels + c] += level * voice[i];
  }
}

double gain_of(Loudness loudness) {
  constexpr std::array<double, 3> k_gains{0.045, 0.16, 0.55};
  return k_gains[static_cast<std::size_t>(loudness)];
}

double factor_of(Pitch pitch) {
  constexpr std::array<double, 3> k_factors{0.55, 1.0, 1.8};
  return k_factors[static_cast<std::size_t>(pitch)];
}

// Puts the event into the span: as a group of its repeats somewhere within, or throughout.
void place_event(const SoundEvent& event, const Span& span, Waveform& sound, Random& random) {
  const double pitch = factor_of(event.pitch) * random.uniform(0.93, 1.07);
  const double gain = gain_of(event.loudness) * random.uniform(0.8, 1.25);
  const double pan = random.uniform(-0.35, 0.35);
  const auto render = [&](double length_s) {
    return render_voice(event.kind, pitch, length_s, sound.rate_hz, random);
  };
  if (!is_countable(event.kind)) {
    // What never pauses would mask all else at the level of what does.
    mix_in(sound, render(span.length_s()), span.from_s, 0.6 * gain, pan);
    return;
  }
  const double length_s = voice_length_s(event.kind);
  const double step_s = length_s + random.uniform(0.35, 0.5);
  const auto most = std::max(1, static_cast<int>((span.length_s() - length_s) / step_s) + 1);
  const int count = event.repeats == 0 ? most : std::min(event.repeats, most);
  const double group_s = length_s + step_s * (count - 1);
  const double at_s = span.from_s + random.uniform() * std::max(0.0, span.length_s() - group_s);
  for (int i = 0; i < count; ++i) mix_in(sound, render(length_s), at_s + step_s * i, gain, pan);
}

std::vector<float> render_hiss(Background background, std::size_t frames, double rate_hz, Random& random) {
  std::vector<float> hiss(frames);
  Noise noise(random);
  LowPass deep(220.0, rate_hz), deeper(500.0, rate_hz), body(6000.0, rate_hz);
  Resonator brook(750.0, 500.0, rate_hz);
  const double phase = random.uniform(0.0, k_turn);
  // Every room and every microphone has a tone of its own.
  LowPass room(400.0 * std::exp(random.uniform(0.0, 2.7)), rate_hz);
  const double room_level = 0.0004 * std::exp(random.uniform(0.0, 1.8));
  double drop = 0;
  for (std::size_t i = 0; i < frames; ++i) {
    const double t = static_cast<double>(i) / rate_hz;
    const double white = noise.next();
    double sample = room_level * room.step(white);
    switch (background) {
      case Background::quiet:
        break;
      case Background::rain:  // a bright hiss with drops in it
        drop = noise.next() > 0.9985F ? 1.0 : drop * 0.995;
        sample += 0.02 * (white - body.step(white)) + 0.04 * drop * white;
        break;
      case Background::wind:
        sample += (0.30 + 0.18 * std::sin(k_turn * 0.3 * t + phase)) * deeper.step(deep.step(white));
        break;
      case Background::hum:
        sample += 0.022 * std::sin(k_turn * 120.0 * t) + 0.011 * std::sin(k_turn * 360.0 * t);
        break;
      case Background::stream:
        sample +=
            (0.07 + 0.05 * std::sin(k_turn * 6.1 * t + 2.0 * std::sin(k_turn * 1.3 * t))) * brook.step(white);
        break;
    }
    hiss[i] = static_cast<float>(sample);
  }
  return hiss;
}

void place_background(Background background, const Span& span, Waveform& sound, Random& random) {
  const auto frames = static_cast<std::size_t>(std::llround(span.length_s() * sound.rate_hz));
  // Drawn before the call: the order in which arguments are evaluated is the compiler's.
  const double gain = random.uniform(0.6, 1.4);
  mix_in(sound, render_hiss(background, frames, sound.rate_hz, random), span.from_s, gain, 0.0);
}

void place_scene(const SoundScene& scene, const Span& span, Waveform& sound, Random& random) {
  constexpr double k_margin_s = 0.2;
  const double middle_s = 0.5 * (span.from_s + span.to_s);
  Span first{span.from_s + k_margin_s, span.to_s - k_margin_s};
  Span second = first;
  if (scene.relation == Relation::then) {
    first.to_s = middle_s - k_margin_s;
    second.from_s = middle_s + k_margin_s;
  }
  place_background(scene.background, span, sound, random);
  place_event(scene.first, first, sound, random);
  if (scene.second) place_event(*scene.second, second, sound, random);
}

// Sounds for the seconds of a full video that the caption does not speak of.
void place_others(const SoundScene& scene, const Span& span, Waveform& sound, Random& random) {
  if (span.length_s() <= 0) return;
  SoundScene other = draw_sound_scene(random);
  const auto is_heard = [&](SoundKind kind) {
    return kind == scene.first.kind || (scene.second && kind == scene.second->kind);
  };
  while (other.background == scene.background || is_heard(other.first.kind) ||
         (other.second && is_heard(other.second->kind)))
    other = draw_sound_scene(random);
  if (span.length_s() >= 4.0) {
    place_scene(other, span, sound, random);
    return;
  }
  // Too short for two events one after the other: what goes on throughout.
  place_background(other.background, span, sound, random);
  other.first.repeats = 0;
  if (span.length_s() > 1.4) place_event(other.first, {span.from_s + 0.1, span.to_s - 0.1}, sound, random);
}

void limit_peak(Waveform& sound) {
  constexpr float k_peak = 0.98F;
  float peak = 0;
  for (const float sample : sound.samples) peak = std::max(peak, std::abs(sample));
  if (peak <= k_peak) return;
  for (float& sample : sound.samples) sample *= k_peak / peak;
}

}  // namespace

Waveform render_sound(const SoundScene& scene, const SoundForm& form, Random& random) {
  ENSURE(form.start_s >= 0 && form.start_s + k_clip_length_s <= form.length_s);
  Waveform sound{form.rate_hz, form.channels, {}};
  const auto frames = static_cast<std::size_t>(std::llround(form.length_s * form.rate_hz));
  sound.samples.resize(frames * static_cast<std::size_t>(form.channels));
  const double end_s = form.start_s + k_clip_length_s;
  place_scene(scene, {form.start_s, end_s}, sound, random);
  place_others(scene, {0, form.start_s}, sound, random);
  place_others(scene, {end_s, form.length_s}, sound, random);
  limit_peak(sound);
  return sound;
}

}  // namespace packer
