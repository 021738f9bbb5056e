// The spectrogram of a sound in a few wide bands, through OpenCV's Fourier transform.
#pragma once

#include <cstddef>

#include "packer/leaks/vision_interface.hpp"

namespace packer::vision {

// `levels`: [sound_frames(count) * k_bands], dB.
void measure_sound(const float* samples, std::size_t count, float* levels);

}  // namespace packer::vision
