// LLaMA's decoder, usable by ranges of layers, so that a caller may start from stored hidden states, add to
// the output of a layer, or ask for the logits of a few positions only. Axes: B rows, L positions, K = past +
// L keys, H width, V vocabulary. What always holds: a row's result does not depend on padding or on what
// other rows hold, but for the last bits that a matrix product of another size rounds differently.
#pragma once

#include <functional>

#include "trainer/formats/llava_config.hpp"
#include "trainer/model/weights.hpp"

namespace trainer {

// Called after each layer with its index from 0 and its output [B,L,H]; what it returns goes on instead.
using LayerHook = std::function<torch::Tensor(std::int64_t layer, const torch::Tensor& hidden)>;

// What all layers share for one batch.
struct DecoderContext {
  torch::Tensor bias;  // [B|1, 1, L, K]: 0 or k_masked_score; undefined where one query sees every key
  torch::Tensor cosine, sine;  // [B|1, L, 1, head width]; the first half of sine is negated
};

// Keys and values of the layers that have run, by layer index: [B, kv heads, past, head width] or undefined.
struct KvCache {
  std::vector<torch::Tensor> keys, values;
};

class Decoder {
 public:
  explicit Decoder(const DecoderConfig& config);
  void visit(const WeightVisitor& visitor);

  // ids [B,L] -> [B,L,H]
  [[nodiscard]] torch::Tensor embed(const torch::Tensor& ids) const;
  // valid [B,K], bool, true where a token is and not padding, of which the last K - past are the queries.
  // Positions count the valid tokens of the row, so padding may be on either side or in between.
  [[nodiscard]] DecoderContext context(const torch::Tensor& valid, std::int64_t past = 0) const;
  // Rows in which several continuations share one beginning, as several questions share their image. branch
  // [B,L] int64: 0 for the beginning, else the continuation's number, -1 for padding; a position sees what
  // stands before it in its own branch and in branch 0. position [B,L] int64: where it would stand were its
  // branch alone, so that every continuation gets what it would get in a row of its own.
  [[nodiscard]] DecoderContext branched_context(const torch::Tensor& branch,
                                                const torch::Tensor& position) const;
  // Layers first .. last-1. run_layers(a, c) and run_layers(b, c) after run_layers(a, b) give the same bits.
  [[nodiscard]] torch::Tensor run_layers(torch::Tensor hidden, std::int64_t first, std::int64_t last,
                                         const DecoderContext& context, const LayerHook& hook = {},
                                         KvCache* cache = nullptr) const;
  // Final norm and output weights: hidden [..., H] -> [..., V], fp32.
  [[nodiscard]] torch::Tensor logits(const torch::Tensor& hidden) const;
  [[nodiscard]] std::int64_t layers() const { return config_.layers; }
  [[nodiscard]] std::int64_t width() const { return config_.hidden; }

 private:
  struct Layer {
    torch::Tensor norm_before, norm_after;  // [H]
    Linear query, key, value, out, gate, up, down;
  };
  [[nodiscard]] DecoderContext rotary(const torch::Tensor& position) const;  // cosine and sine only
  [[nodiscard]] torch::Tensor attend_layer(std::int64_t index, const torch::Tensor& x,
                                           const DecoderContext& context, KvCache* cache) const;
  [[nodiscard]] torch::Tensor run_layer(std::int64_t index, const torch::Tensor& hidden,
                                        const DecoderContext& context, KvCache* cache) const;

  DecoderConfig config_;
  torch::Tensor embed_tokens_, norm_, lm_head_;  // [V,H], [H], [V,H]
  std::vector<Layer> layers_;
};

// x / rms(x) * weight over the last axis, the norm in fp32; an undefined weight is 1.
[[nodiscard]] torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double epsilon);

}  // namespace trainer
