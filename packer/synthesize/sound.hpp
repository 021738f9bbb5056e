// A scene made audible. What the caption says lies within ten seconds; where the file is a longer "full
// video", its other seconds hold other kinds of sounds over another background.
#pragma once

#include "common/media/audio.hpp"
#include "common/random.hpp"
#include "packer/synthesize/caption.hpp"

namespace packer {

inline constexpr double k_clip_length_s = 10.0;

struct SoundForm {
  int rate_hz = 48000;
  int channels = 1;
  double length_s = k_clip_length_s;
  double start_s = 0;  // the described ten seconds: [start_s, start_s + 10)
};

[[nodiscard]] common::Waveform render_sound(const SoundScene& scene, const SoundForm& form,
                                            common::Random& random);

}  // namespace packer
