// What safe-packer and its module of OpenCV say to each other: plain structures and function pointers, so
// that nothing of OpenCV is seen, linked or loaded by the program before the module is. Whoever changes a
// line here raises the version: a module of another version is refused.
#pragma once

#include <cstddef>
#include <cstdint>

namespace packer {

inline constexpr int k_vision_version = 2;
inline constexpr const char* k_vision_entry = "safe_vision";

inline constexpr int k_luma_side = 48;
inline constexpr int k_chroma_side = 16;
// Each border of a picture may have been cut off by as much as each of these; the first is the whole picture.
inline constexpr int k_cuts = 3;
inline constexpr int k_windows = k_cuts * k_cuts * k_cuts * k_cuts;

// What is kept of a picture: it, small, and a perceptual hash of each of its windows. Window number
// ((left * 3 + right) * 3 + top) * 3 + bottom has that many steps cut off.
struct PictureMark {
  std::uint8_t luma[k_luma_side * k_luma_side];
  std::uint8_t blue[k_chroma_side * k_chroma_side];  // Cb, 128 is grey
  std::uint8_t red[k_chroma_side * k_chroma_side];   // Cr
  std::uint64_t hashes[k_windows];
  std::int32_t least_side;  // of the picture itself, in pixels
};

// A sound as the power of its bands in time, in dB. It comes in one channel of this rate, at which every
// resampled copy has all bands.
inline constexpr int k_sound_rate_hz = 8000;
inline constexpr int k_hop = 256;  // samples between two frames
inline constexpr int k_bands = 24;
inline constexpr std::size_t sound_frames(std::size_t samples) { return samples / k_hop + 1; }

// Functions return 0, or write a sentence that ends with NUL into `error` and return 1. No exception leaves
// them. Safe from many threads.
struct VisionInterface {
  int version;
  // `pixels`: [height * width * 3], R G B.
  int (*mark_picture)(const std::uint8_t* pixels, int width, int height, PictureMark* mark, char* error,
                      std::size_t error_bytes);
  // `levels`: [sound_frames(count) * k_bands].
  int (*measure_sound)(const float* samples, std::size_t count, float* levels, char* error,
                       std::size_t error_bytes);
};

}  // namespace packer
