// The frozen encoders: a clip or an image of a verified pack becomes features, once per run and one item at a
// time, so that neither a batch nor a cache changes a bit of them. Axes: D width of the audio encoder, P
// features of an image, H width of the language model, S side in pixels.
#pragma once

#include <filesystem>
#include <vector>

#include "common/progress.hpp"
#include "packer/check/open.hpp"
#include "trainer/data/feature_cache.hpp"
#include "trainer/data/log_mel.hpp"
#include "trainer/data/pixels.hpp"
#include "trainer/model/clap.hpp"
#include "trainer/model/compute.hpp"
#include "trainer/model/llava.hpp"
#include "trainer/model/tensor.hpp"
#include "trainer/samples/samples.hpp"

namespace trainer {

class AudioEncoder {
 public:
  AudioEncoder(Clap clap, const LogMelConfig& config, const Placement& placement)
      : clap_(std::move(clap)), log_mel_(config), placement_(placement) {}
  [[nodiscard]] static AudioEncoder load(const ModelFolder& folder, const Placement& placement);
  [[nodiscard]] std::int64_t width() const { return clap_.config().projection; }  // D
  // [D] of each clip, L2-normalised, fp32 on the CPU; from `cache` where it has them. Sounds are decoded,
  // resampled and made spectrograms of side by side, however wide the network behind is.
  [[nodiscard]] std::vector<torch::Tensor> encode(const packer::VerifiedPack& pack,
                                                  const std::vector<common::PackPath>& clips,
                                                  const FeatureCache& cache, const Compute& compute,
                                                  common::Progress& progress) const;
  // What a clip of digital silence gives: [D].
  [[nodiscard]] torch::Tensor silence() const;

 private:
  // A clip as the network takes it: [1, T, F].
  [[nodiscard]] torch::Tensor spectrogram(const packer::VerifiedPack& pack,
                                          const common::PackPath& clip) const;
  [[nodiscard]] torch::Tensor encode(const torch::Tensor& spectrogram) const;

  Clap clap_;
  LogMel log_mel_;
  Placement placement_;
};

// A picture of the pack as pixels [3, S, S].
[[nodiscard]] torch::Tensor read_pixels(const packer::VerifiedPack& pack, const common::PackPath& path,
                                        const PixelsConfig& config);

// The features of every question's image, each image once and from `cache` where it has them: [P, H] per
// question on the CPU, shared where the image is.
[[nodiscard]] std::vector<torch::Tensor> encode_images(const packer::VerifiedPack& pack, const Llava& base,
                                                       const PixelsConfig& config,
                                                       const std::vector<QuestionSample>& questions,
                                                       const FeatureCache& cache, const Compute& compute);

}  // namespace trainer
