// How a sound becomes CLAP's log-mel spectrogram, as ClapFeatureExtractor has it. Axes: T frames, F mel bins.
#pragma once

#include <cstdint>
#include <string>

#include "common/json.hpp"
#include "trainer/formats/model_folder.hpp"

namespace trainer {

// repeat_pad: whole copies as long as they fit, then zeros; repeat: copies, cut; zeros.
enum class ClipPadding { repeat_pad, repeat, zeros };

// What is heard of a longer clip. first_seconds: its beginning (transformers, "rand_trunc", takes a piece by
// chance). fusion: all of it, and the first of the pieces that transformers draws its beginning, middle and
// end from; C = 4 spectrograms instead of one, on HTK's mel scale, as the fused checkpoints were trained.
enum class ClipTruncation { first_seconds, fusion };

struct LogMelConfig {
  int rate_hz = 48000;
  std::int64_t clip_samples = 480000;  // every clip is made this long
  std::int64_t fft_samples = 1024, hop_samples = 480;
  std::int64_t mel_bins = 64;
  double lowest_hz = 0, highest_hz = 14000;  // published files say 50; 0 is the class's default
  ClipPadding padding = ClipPadding::repeat_pad;
  ClipTruncation truncation = ClipTruncation::first_seconds;

  [[nodiscard]] std::int64_t frames() const { return clip_samples / hop_samples + 1; }  // T
};

[[nodiscard]] LogMelConfig parse_log_mel_config(const common::Json& config, const std::string& name);
// From preprocessor_config.json, or the feature_extractor of processor_config.json.
[[nodiscard]] LogMelConfig load_log_mel_config(const ModelFolder& folder);
[[nodiscard]] common::Json format_log_mel_config(const LogMelConfig& config);

}  // namespace trainer
