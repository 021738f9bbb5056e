// LLaVA-1.5 as Hugging Face stores it: CLIP ViT, two-layer projector, LLaMA decoder. One implementation for
// every size; the size comes from config.json. Axes: B rows, L positions, H width of the decoder, V
// vocabulary, P features of one image, S side in pixels.
#pragma once

#include <optional>

#include "trainer/formats/llava_config.hpp"
#include "trainer/formats/model_folder.hpp"
#include "trainer/formats/tokenizer.hpp"
#include "trainer/model/decoder.hpp"
#include "trainer/model/vision.hpp"
#include "trainer/model/vision_language_base.hpp"

namespace trainer {

class Llava final : public VisionLanguageBase {
 public:
  // A folder with config.json and model.safetensors (or shards). Errors as of load_weights. Weights do not
  // require gradients.
  [[nodiscard]] static Llava load(const ModelFolder& folder, const Placement& placement = {});
  // The same config and seed give the same weights.
  [[nodiscard]] static Llava random(const LlavaConfig& config, std::int64_t seed,
                                    const Placement& placement = {});
  // config.json and model.safetensors, as transformers opens them.
  [[nodiscard]] ModelFiles files();

  [[nodiscard]] const LlavaConfig& config() const { return config_; }
  [[nodiscard]] const Placement& placement() const override { return placement_; }
  [[nodiscard]] const Decoder& decoder() const override { return decoder_; }
  [[nodiscard]] BaseTokens tokens() const override {
    return {config_.image_token, config_.pad_token, config_.text.bos_token, config_.text.eos_token};
  }
  [[nodiscard]] std::int64_t image_side() const override { return config_.vision.image_side; }
  using VisionLanguageBase::encode_images;
  [[nodiscard]] torch::Tensor encode_images(const torch::Tensor& pixels, const Tap& tap) const override;
  [[nodiscard]] torch::Tensor embed(const torch::Tensor& ids,
                                    const torch::Tensor& features = {}) const override;
  [[nodiscard]] TokenIds expand_image(const TokenIds& ids) const override;
  // All layers and the logits of all positions: hidden [B,L,H], valid [B,L] -> [B,L,V], fp32.
  [[nodiscard]] torch::Tensor run(const torch::Tensor& hidden, const torch::Tensor& valid,
                                  const LayerHook& hook = {}) const;

  // By Hugging Face name (the classic layout, which is also what files() has). The model's own tensors: set
  // requires_grad on them and give them to an optimiser to train.
  [[nodiscard]] NamedTensors parameters();

 private:
  Llava(const LlavaConfig& config, const Placement& placement);
  void visit(const WeightVisitor& visitor);

  LlavaConfig config_;
  Placement placement_;
  VisionTower vision_;
  Linear projector_1_, projector_2_;
  Decoder decoder_;
};

// Any of the layouts that transformers, PEFT or the original LLaVA write, mapped to the classic one; empty
// for what no LLaVA needs (rotary buffers, CLIP's text half).
[[nodiscard]] std::string canonical_llava_name(const std::string& name);

}  // namespace trainer
