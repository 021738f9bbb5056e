// The first sound of an MP4, a WebM or an AAC stream, decoded by the ffmpeg of the machine as a process of
// its own: it is given a descriptor and no name, reads nothing else, and is told which form it is. What it
// says is an error. Its samples may be others where its version is another.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "common/file.hpp"
#include "common/media/sound_bytes.hpp"
#include "common/media/sound_form.hpp"

namespace common {

[[nodiscard]] bool is_for_ffmpeg(SoundForm form);

class FfmpegDecoder {
 public:
  // Refuses a file that was cut short, and any where no ffmpeg is installed.
  FfmpegDecoder(const SoundBytes& file, SoundForm form, const std::string& name);
  ~FfmpegDecoder();
  FfmpegDecoder(const FfmpegDecoder&) = delete;
  FfmpegDecoder& operator=(const FfmpegDecoder&) = delete;

  [[nodiscard]] int rate_hz() const { return rate_hz_; }
  [[nodiscard]] int channels() const { return channels_; }
  // Up to `frames` of them, less only at the end, where a decoder that failed is refused.
  std::size_t read(float* to, std::size_t frames);

 private:
  void start(const File& input, SoundForm form);
  void read_header();
  std::size_t read_bytes(std::uint8_t* to, std::size_t count);
  void finish();
  [[nodiscard]] std::string complaint() const;

  std::string name_;
  SoundForm form_;
  pid_t child_ = -1;
  File output_, errors_;
  int rate_hz_ = 0;
  int channels_ = 0;
};

}  // namespace common
