// CLIP's vision transformer as LLaVA uses it: hidden states of a layer before the last, no pooling.
// Axes: B images, S side in pixels, N = (S/patch)² + 1 tokens, class token first, D width.
#pragma once

#include "trainer/formats/llava_config.hpp"
#include "trainer/model/weights.hpp"

namespace trainer {

class VisionTower {
 public:
  explicit VisionTower(const VisionConfig& config);
  void visit(const WeightVisitor& visitor);
  // The hidden states that `layers` asks for (0 the embeddings, k the output of layer k, negative from the
  // end), concatenated on the last axis: pixels [B,3,S,S] -> [B, N, D * layers.size()]. Later layers are not
  // run.
  [[nodiscard]] torch::Tensor run(const torch::Tensor& pixels, const std::vector<std::int64_t>& layers) const;

 private:
  struct Layer {
    LayerNorm norm_before, norm_after;
    Linear query, key, value, out, fc1, fc2;
  };
  [[nodiscard]] torch::Tensor embed(const torch::Tensor& pixels) const;
  [[nodiscard]] torch::Tensor run_layer(const Layer& layer, const torch::Tensor& x) const;

  VisionConfig config_;
  torch::Tensor class_embedding_;     // [D]
  torch::Tensor patch_embedding_;     // [D, 3, patch, patch]
  torch::Tensor position_embedding_;  // [N, D]
  LayerNorm pre_norm_, post_norm_;    // post_norm_ is stored and not used by LLaVA
  std::vector<Layer> layers_;
};

}  // namespace trainer
