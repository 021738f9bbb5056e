// A LLaVA of a few hundred weights, random and the same each time, and what tests ask of it.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/support/tensors.hpp"
#include "trainer/model/llava.hpp"

namespace support {

inline trainer::LlavaConfig tiny() {
  trainer::LlavaConfig c;
  c.vision.hidden = 16;
  c.vision.intermediate = 24;
  c.vision.layers = 2;
  c.vision.heads = 2;
  c.vision.image_side = 12;
  c.vision.patch_side = 4;
  c.text.vocabulary = 40;
  c.text.hidden = 16;
  c.text.intermediate = 24;
  c.text.layers = 3;
  c.text.heads = 4;
  c.text.kv_heads = 2;
  c.text.head_width = 4;
  c.image_token = 38;
  c.pad_token = 39;
  return c;
}

inline trainer::Llava tiny_llava(const trainer::LlavaConfig& config = tiny()) {
  auto llava = trainer::Llava::random(config, 3);
  // Embeddings start small; larger ones make attention depend on what it sees.
  for (auto& [name, tensor] : llava.parameters())
    if (name.ends_with("embed_tokens.weight") || name.ends_with("lm_head.weight")) tensor.mul_(25);
  return llava;
}

inline torch::Tensor ids_of(std::vector<std::int64_t> ids) {
  return torch::tensor(ids, torch::kInt64).unsqueeze(0);
}
inline torch::Tensor all_valid(const torch::Tensor& ids) { return torch::ones(ids.sizes(), torch::kBool); }

inline torch::Tensor logits_of(const trainer::Llava& llava, const trainer::TokenIds& ids) {
  const auto batch = ids_of(ids);
  return llava.run(llava.embed(batch), all_valid(batch))[0];  // [L,V]
}

}  // namespace support
