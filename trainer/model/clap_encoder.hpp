// CLAP as an AudioEncoder: one vector a clip, L2-normalised (N = 1).
#pragma once

#include "trainer/model/audio_encoder.hpp"
#include "trainer/model/clap.hpp"
#include "trainer/model/log_mel.hpp"

namespace trainer {

class ClapEncoder final : public AudioEncoder {
 public:
  ClapEncoder(Clap clap, const LogMelConfig& config, const Placement& placement)
      : clap_(std::move(clap)), log_mel_(config), placement_(placement) {}
  // A preprocessor for another input than the network's is a mismatch error.
  [[nodiscard]] static ClapEncoder load(const ModelFolder& folder, const Placement& placement);

  [[nodiscard]] std::int64_t width() const override { return clap_.config().projection; }
  [[nodiscard]] int rate_hz() const override { return log_mel_.config().rate_hz; }
  [[nodiscard]] torch::Tensor prepare(const std::vector<float>& samples) const override;
  using AudioEncoder::encode;
  [[nodiscard]] torch::Tensor encode(const torch::Tensor& prepared, const Tap& tap) const override;
  [[nodiscard]] const Clap& clap() const { return clap_; }
  [[nodiscard]] const LogMel& log_mel() const { return log_mel_; }

 private:
  Clap clap_;
  LogMel log_mel_;
  Placement placement_;
};

}  // namespace trainer
