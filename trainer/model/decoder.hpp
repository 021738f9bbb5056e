// LLaMA's decoder, usable by ranges of layers, so that a caller may start from stored hidden states, add to
// the output of a layer, or ask for the logits of a few positions only. Positions may stand behind a prefix
// that was run before, once for all that stand behind it. Axes: B rows, L positions, P positions of the
// prefix, K = past + L keys, H width, V vocabulary, E width of a head. What always holds: a row's result does
// not depend on padding or on what other rows hold, but for the last bits that a matrix product of another
// size rounds differently.
#pragma once

#include <functional>
#include <memory>

#include "trainer/formats/llava_config.hpp"
#include "trainer/model/attention.hpp"
#include "trainer/model/weights.hpp"

namespace trainer {

// Called after each layer with its index from 0 and its output [B,L,H]; what it returns goes on instead.
using LayerHook = std::function<torch::Tensor(std::int64_t layer, const torch::Tensor& hidden)>;

// Keys and values of the layers that have run, by layer index: [B, kv heads, past, E] or undefined.
struct KvCache {
  std::vector<torch::Tensor> keys, values;
  [[nodiscard]] std::int64_t length() const;  // of the last layer; 0 where nothing has run
};

// What all layers share for one batch.
struct DecoderContext {
  torch::Tensor bias;  // [B|1, 1, L, K]: 0 or k_masked_score; undefined where one query sees every key
  torch::Tensor cosine, sine;             // [B|1, L, 1, E]; the first half of sine is negated
  std::shared_ptr<const KvCache> prefix;  // seen by every position; null: none
  bool causal_only = false;               // no padding, prefix or past: a kernel of its own may do it
  // [N] int64, flat positions of [B * L] whose states the last layer is to give; undefined: all. Keys and
  // values are of all positions, the rest of that layer is not computed for the others.
  torch::Tensor wanted;
};

// What the gradient of one layer needs of its run; frozen weights need no more.
struct LayerTrace {
  torch::Tensor input;          // [B, L, H]
  torch::Tensor query;          // [B, heads, L, E], turned
  KeyValues own;                // [B, kv heads, L, E], turned
  torch::Tensor probabilities;  // as Attended has them
  torch::Tensor middle;         // [B, L, H], after attention; [N, H] where only some are wanted
  torch::Tensor gate, up;       // [B, L, intermediate], or [N, intermediate]
};

class Decoder {
 public:
  explicit Decoder(const DecoderConfig& config);
  void visit(const WeightVisitor& visitor);

  // ids [B,L] -> [B,L,H]
  [[nodiscard]] torch::Tensor embed(const torch::Tensor& ids) const;
  // valid [B,K], bool, true where a token is and not padding, of which the last K - past are the queries.
  // Positions count the prefix and the valid tokens of the row, so padding may be on either side or in
  // between.
  [[nodiscard]] DecoderContext context(const torch::Tensor& valid, std::int64_t past = 0,
                                       std::shared_ptr<const KvCache> prefix = nullptr) const;
  // Keys and values of positions that stand before all others, from the states [B,P,H] that enter layer
  // `first`, in the layers from there on. The hook, where there is one, sees the states behind each layer
  // but the last, whose output nobody needs. Without autograd.
  [[nodiscard]] KvCache run_prefix(const torch::Tensor& states, std::int64_t first,
                                   const LayerHook& hook = {}) const;
  // Rows in which several continuations share one beginning, as several questions share their image. branch
  // [B,L] int64: 0 for the beginning, else the continuation's number, -1 for padding; a position sees what
  // stands before it in its own branch and in branch 0. position [B,L] int64: where it would stand were its
  // branch alone, so that every continuation gets what it would get in a row of its own.
  [[nodiscard]] DecoderContext branched_context(const torch::Tensor& branch,
                                                const torch::Tensor& position) const;
  // Layers first .. last-1; [N,H] where the last layer is among them and context.wanted is set. run_layers(a,
  // c) and run_layers(b, c) after run_layers(a, b) give the same bits.
  [[nodiscard]] torch::Tensor run_layers(torch::Tensor hidden, std::int64_t first, std::int64_t last,
                                         const DecoderContext& context, const LayerHook& hook = {},
                                         KvCache* cache = nullptr) const;
  // What the keys and values of a prefix of `positions` take in the layers from `first` on, in one row.
  [[nodiscard]] std::uint64_t prefix_bytes(std::int64_t first, std::int64_t positions) const;
  // One layer with what its gradient needs, and the gradient of its input from that of its output.
  [[nodiscard]] torch::Tensor run_traced(std::int64_t index, const torch::Tensor& hidden,
                                         const DecoderContext& context, LayerTrace& trace) const;
  [[nodiscard]] torch::Tensor gradient(std::int64_t index, const LayerTrace& trace,
                                       const DecoderContext& context, const torch::Tensor& of_output) const;
  // Final norm and output weights: hidden [..., H] -> [..., V], fp32.
  [[nodiscard]] torch::Tensor logits(const torch::Tensor& hidden) const;
  [[nodiscard]] std::int64_t layers() const { return config_.layers; }
  [[nodiscard]] std::int64_t width() const { return config_.hidden; }
  [[nodiscard]] const DecoderConfig& config() const { return config_; }

 private:
  struct Layer {
    torch::Tensor norm_before, norm_after;  // [H]
    Linear query, key, value, out, gate, up, down;
  };
  [[nodiscard]] DecoderContext rotary(const torch::Tensor& position) const;  // cosine and sine only
  struct Turned {
    torch::Tensor query;  // [B, heads, L, E]
    KeyValues own;        // [B, kv heads, L, E]
  };
  [[nodiscard]] Turned turn(const Layer& layer, const torch::Tensor& x, const DecoderContext& context) const;
  [[nodiscard]] torch::Tensor run_layer(std::int64_t index, const torch::Tensor& hidden,
                                        const DecoderContext& context, KvCache* cache,
                                        LayerTrace* trace) const;
  [[nodiscard]] double score_scale() const;
  [[nodiscard]] bool gives_some(std::int64_t index, const DecoderContext& context) const {
    return context.wanted.defined() && index + 1 == config_.layers;
  }

  DecoderConfig config_;
  torch::Tensor embed_tokens_, norm_, lm_head_;  // [V,H], [H], [V,H]
  std::vector<Layer> layers_;
};

// x / rms(x) * weight over the last axis, the norm in fp32; an undefined weight is 1.
[[nodiscard]] torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double epsilon);

}  // namespace trainer
