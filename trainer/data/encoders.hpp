// The frozen encoders: a clip or an image of a verified pack becomes features, once per run and one item at a
// time, so that neither a batch nor a cache changes a bit of them. Axes: D width of the audio encoder, P
// features of an image, H width of the language model, S side in pixels.
#pragma once

#include <filesystem>
#include <vector>

#include "common/progress.hpp"
#include "packer/check/open.hpp"
#include "trainer/data/feature_cache.hpp"
#include "trainer/data/pixels.hpp"
#include "trainer/model/audio_encoder.hpp"
#include "trainer/model/compute.hpp"
#include "trainer/model/tensor.hpp"
#include "trainer/model/vision_language_base.hpp"
#include "trainer/samples/samples.hpp"

namespace trainer {

// Of each clip [D], fp32 on the CPU, the mean of its vectors; from `cache` where it has them. Sounds are
// decoded, resampled and prepared side by side, however wide the network behind is.
[[nodiscard]] std::vector<torch::Tensor> encode_clips(const packer::VerifiedPack& pack,
                                                      const AudioEncoder& audio,
                                                      const std::vector<common::PackPath>& clips,
                                                      const FeatureCache& cache, const Compute& compute,
                                                      common::Progress& progress);
// What a clip of digital silence gives: [D].
[[nodiscard]] torch::Tensor encode_silence(const AudioEncoder& audio);

// A picture of the pack as pixels [3, S, S].
[[nodiscard]] torch::Tensor read_pixels(const packer::VerifiedPack& pack, const common::PackPath& path,
                                        const PixelsConfig& config);

// The features of every question's image, each image once and from `cache` where it has them: [P, H] per
// question on the CPU, shared where the image is.
[[nodiscard]] std::vector<torch::Tensor> encode_images(const packer::VerifiedPack& pack,
                                                       const VisionLanguageBase& base,
                                                       const PixelsConfig& config,
                                                       const std::vector<QuestionSample>& questions,
                                                       const FeatureCache& cache, const Compute& compute);

}  // namespace trainer
