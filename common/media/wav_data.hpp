// Where the samples of a WAV lie, by its chunks: RIFF, its big-endian RIFX, and RF64 and W64 with sizes of
// 64 bits. Samples that are not all there are refused; a size that says "unknown", as everything that writes
// to a pipe leaves it, is what follows to the end of the file.
#pragma once

#include <string>
#include <vector>

#include "common/media/sound_bytes.hpp"
#include "common/media/sound_form.hpp"

namespace common {

// Bytes that a reader must see in place of the file's own.
struct BytePatch {
  std::uint64_t offset = 0;
  Bytes bytes;
};

struct WavData {
  std::uint64_t begin = 0;  // of the samples
  std::uint64_t bytes = 0;  // of samples
  enum class Size { stated, unknown } size = Size::stated;
  std::vector<BytePatch> patches;  // that state the size where it was unknown
};

// `file` begins with `form`, which is one of the four.
[[nodiscard]] WavData find_wav_data(const SoundBytes& file, SoundForm form, const std::string& name);

}  // namespace common
