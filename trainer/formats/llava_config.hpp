// config.json of a LLaVA-1.5 folder, every default resolved. What is missing in a sub-config has the value of
// transformers' class, because published files leave most keys out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "trainer/formats/activation.hpp"

namespace trainer {

enum class FeatureSelection { patches, all };  // "default" drops the class token, "full" keeps it

// CLIP's ViT.
struct VisionConfig {
  std::int64_t hidden = 768, intermediate = 3072, layers = 12, heads = 12;
  std::int64_t image_side = 224, patch_side = 32;
  Activation activation = Activation::quick_gelu;
  double norm_epsilon = 1e-5;
};

enum class DecoderKind { llama, mistral };  // the same layers with other defaults, and a window

// LLaMA or Mistral. rope_scale divides the rotary frequencies (linear scaling; 1 is none).
struct DecoderConfig {
  DecoderKind kind = DecoderKind::llama;
  std::int64_t vocabulary = 32000, hidden = 4096, intermediate = 11008, layers = 32, heads = 32,
               kv_heads = 32;
  std::int64_t head_width = 128, position_limit = 2048;
  double norm_epsilon = 1e-6, rope_theta = 10000, rope_scale = 1;
  bool attention_bias = false, mlp_bias = false, tied_embeddings = false;
  std::int64_t bos_token = 1, eos_token = 2;
  std::int64_t window = 0;  // how many positions one may look back, itself included; 0: all of them

  // Longest row that is computed: a window shorter than the row is not.
  [[nodiscard]] std::int64_t row_limit() const {
    return window > 0 && window < position_limit ? window : position_limit;
  }
};

struct LlavaConfig {
  VisionConfig vision;
  DecoderConfig text;
  std::int64_t image_token = 32000, pad_token = 32001;
  std::vector<std::int64_t> feature_layers = {
      -2};  // indices into the vision tower's hidden states, 0 = embeddings
  FeatureSelection selection = FeatureSelection::patches;
  Activation projector_activation = Activation::gelu;
  bool projector_bias = true;

  // P, the number of features, and so of decoder positions, of one image.
  [[nodiscard]] std::int64_t image_positions() const;
};

// Format errors name the file and the key; numbers that do not fit together (heads that do not divide) too.
[[nodiscard]] LlavaConfig parse_llava_config(const common::Json& config, const std::string& name);
// As transformers reads it; nothing is left to a default.
[[nodiscard]] common::Json format_llava_config(const LlavaConfig& config);
void check(const LlavaConfig& config, const std::string& name);

}  // namespace trainer
