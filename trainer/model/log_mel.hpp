// The log-mel spectrograms that CLAP was trained on, as ClapFeatureExtractor computes them, but nothing is
// drawn by chance: a clip has one result. Axes: C spectrograms (1, or 4 with fusion), T frames, F mel bins.
#pragma once

#include <vector>

#include "trainer/formats/log_mel_config.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

class LogMel {
 public:
  explicit LogMel(const LogMelConfig& config);
  [[nodiscard]] const LogMelConfig& config() const { return config_; }
  // Mono samples at config().rate_hz, at least one -> [C, T, F], decibels, fp32.
  [[nodiscard]] torch::Tensor compute(const std::vector<float>& samples) const;

 private:
  [[nodiscard]] torch::Tensor spectrogram(std::vector<float> clip) const;  // -> [frames, F]

  LogMelConfig config_;
  torch::Tensor window_;   // [fft], periodic Hann, fp64
  torch::Tensor filters_;  // [fft/2+1, F], fp64
};

}  // namespace trainer
