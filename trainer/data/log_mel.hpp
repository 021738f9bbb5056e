// The log-mel spectrogram that CLAP was trained on: ClapFeatureExtractor's "rand_trunc" path, but with the
// first seconds of a long clip instead of random ones, so that a clip has one spectrogram. Axes: T frames, F
// mel bins.
#pragma once

#include <vector>

#include "trainer/formats/log_mel_config.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

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
