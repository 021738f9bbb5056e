#include "trainer/model/clap_encoder.hpp"

#include <fmt/format.h>

#include "common/error.hpp"
#include "trainer/formats/model_form.hpp"

namespace trainer {

ClapEncoder ClapEncoder::load(const ModelFolder& folder, const Placement& placement) {
  // First what is read in no time, so that a wrong file is named before the weights are read.
  const LogMelConfig config = load_log_mel_config(folder);
  const ClapConfig network =
      parse_clap_config(read_model_config(folder), folder.path_of(k_model_config_name).string());
  if (config.mel_bins != network.mel_bins || config.frames() > network.frame_limit())
    throw common::Error(common::ErrorKind::mismatch,
                        fmt::format("{}: the preprocessor's configuration makes {} frames of {} mel bins, "
                                    "and config.json takes up to "
                                    "{} of {}; the two files belong to different models",
                                    folder.path().string(), config.frames(), config.mel_bins,
                                    network.frame_limit(), network.mel_bins));
  if ((config.truncation == ClipTruncation::fusion) != network.fusion)
    throw common::Error(
        common::ErrorKind::mismatch,
        fmt::format("{}: truncation in the preprocessor's configuration is {}, and enable_fusion in "
                    "config.json is {}; "
                    "the two files belong to different models",
                    folder.path().string(), network.fusion ? "rand_trunc" : "fusion", network.fusion));
  Clap clap = Clap::load(folder, placement);
  return {std::move(clap), config, placement};
}

torch::Tensor ClapEncoder::prepare(const std::vector<float>& samples) const {
  return log_mel_.compute(samples);
}

torch::Tensor ClapEncoder::encode(const torch::Tensor& prepared, const Tap& tap) const {
  const torch::NoGradGuard frozen;
  return clap_.encode(prepared.unsqueeze(0).to(placement_.device), tap)
      .normalised.to(torch::kCPU, torch::kFloat32);
}

}  // namespace trainer
