// The log-mel spectrogram that CLAP was trained on: ClapFeatureExtractor's "rand_trunc" path, but with the
// first seconds of a long clip instead of random ones, so that a clip has one spectrogram. Axes: T frames, F
// mel bins.
#pragma once

#include <vector>

#include "common/json.hpp"
#include "trainer/model/model_folder.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

// repeat_pad: whole copies as long as they fit, then zeros; repeat: copies, cut; zeros.
enum class ClipPadding { repeat_pad, repeat, zeros };

struct LogMelConfig {
  int rate_hz = 48000;
  std::int64_t clip_samples = 480000;  // every clip is made this long
  std::int64_t fft_samples = 1024, hop_samples = 480;
  std::int64_t mel_bins = 64;
  double lowest_hz = 0, highest_hz = 14000;  // published files say 50; 0 is the class's default
  ClipPadding padding = ClipPadding::repeat_pad;

  [[nodiscard]] std::int64_t frames() const { return clip_samples / hop_samples + 1; }  // T
};

// preprocessor_config.json. "fusion" truncation is refused by name.
[[nodiscard]] LogMelConfig parse_log_mel_config(const common::Json& config, const std::string& name);
[[nodiscard]] LogMelConfig load_log_mel_config(const ModelFolder& folder);
[[nodiscard]] common::Json format_log_mel_config(const LogMelConfig& config);

class LogMel {
 public:
  explicit LogMel(const LogMelConfig& config);
  [[nodiscard]] const LogMelConfig& config() const { return config_; }
  // Mono samples at config().rate_hz, at least one -> [1, T, F], decibels, fp32.
  [[nodiscard]] torch::Tensor compute(const std::vector<float>& samples) const;

 private:
  LogMelConfig config_;
  torch::Tensor window_;   // [fft], periodic Hann, fp64
  torch::Tensor filters_;  // [fft/2+1, F], Slaney's scale and area norm, fp64
};

}  // namespace trainer
