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

namespace trainer {

class Llava {
 public:
  // A folder with config.json and model.safetensors (or shards). A tensor that is missing or of another shape
  // is a mismatch error; those that were there and not needed are in unused(). Weights do not require
  // gradients.
  [[nodiscard]] static Llava load(const ModelFolder& folder, const Placement& placement = {});
  // The same config and seed give the same weights.
  [[nodiscard]] static Llava random(const LlavaConfig& config, std::int64_t seed,
                                    const Placement& placement = {});
  // config.json and model.safetensors, as transformers opens them.
  [[nodiscard]] ModelFiles files();

  [[nodiscard]] const LlavaConfig& config() const { return config_; }
  [[nodiscard]] const Placement& placement() const { return placement_; }
  [[nodiscard]] const std::vector<std::string>& unused() const { return unused_; }
  [[nodiscard]] const Decoder& decoder() const { return decoder_; }

  // pixels [B,3,S,S] -> [B,P,H]
  [[nodiscard]] torch::Tensor encode_images(const torch::Tensor& pixels) const;
  // ids [B,L] -> [B,L,H]; where ids hold the image token, `features` [images,P,H] are put in reading order.
  // A number of image tokens other than images · P is an ENSURE: expand_image makes them match.
  [[nodiscard]] torch::Tensor embed(const torch::Tensor& ids, const torch::Tensor& features = {}) const;
  // Each image token becomes P of them.
  [[nodiscard]] TokenIds expand_image(const TokenIds& ids) const;
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
  std::vector<std::string> unused_;
};

// Any of the layouts that transformers, PEFT or the original LLaVA write, mapped to the classic one; empty
// for what no LLaVA needs (rotary buffers, CLIP's text half).
[[nodiscard]] std::string canonical_llava_name(const std::string& name);

enum class PadSide { left, right };

struct PaddedRows {
  torch::Tensor ids;    // [B, L] int64
  torch::Tensor valid;  // [B, L] bool
};
[[nodiscard]] PaddedRows pad_rows(const std::vector<TokenIds>& rows, std::int64_t pad_token, PadSide side);

// Greedy decoding from the hidden states of the prompts, hidden [B,L,H], valid [B,L] (padding on either
// side), which stand behind `prefix` where there is one, until every row has said eos or `limit` tokens. Ids
// without the eos. The hook sees [B,L,H] first and [B,1,H] afterwards.
[[nodiscard]] std::vector<TokenIds> generate(const Llava& llava, const torch::Tensor& hidden,
                                             const torch::Tensor& valid, std::int64_t limit,
                                             const LayerHook& hook = {},
                                             const std::shared_ptr<const KvCache>& prefix = nullptr);

}  // namespace trainer
