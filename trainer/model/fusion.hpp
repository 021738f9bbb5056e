// The fusion adapter: cross-attention from a decoder layer's output to the audio tokens, through a vector
// gate.
//
//   out = h + gate * Wo (attend(Wq h^, Wk a, Wv a) (.) tanh(Wg h^)),     h^ = h / rms(h)
//
// Axes: B rows, L positions, H width of the language model, K audio tokens, R rows with audio, r rank.
//
// What always holds: a row that is not listed in AudioInput::rows and a row at gate 0 keep their bits: they
// are left out of the addition, not multiplied by zero. Wo starts at zero, and there is no bias and no
// LayerNorm after it, so before the first step out == h for every row. All of it is fp32, whatever type h
// has.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "trainer/model/adapter_linear.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

enum class FusionPositions {
  text,
  all
};  // text: only what stands after the image (all of it in a row without one)

struct FusionConfig {
  std::vector<std::int64_t> layers = {1, 2};  // decoder layers whose outputs are fused, 0-based
  std::int64_t heads = 4;
  std::int64_t width = 0;  // H
  // 0: full matrices. Otherwise LoRA (Hu et al. 2021) of this rank on query, key, value and output.
  std::int64_t rank = 0;
  double alpha = 16;
  FusionPositions positions = FusionPositions::text;
  // Standard deviation of the gate's first weights, times sqrt(H): the spread of Wg h^. One for all variants,
  // so that they differ in their mechanisms alone; 1 because a null space leaves little of a narrower one.
  double gate_scale = 1.0;
};

// Audio for some rows of a batch.
struct AudioInput {
  std::vector<std::int64_t> rows;  // R ascending row numbers
  torch::Tensor tokens;            // [R, K, H]
  std::vector<double> gates;       // R, each in [0, 1]
};

class FusionBlock {
 public:
  FusionBlock(const FusionConfig& config, std::int64_t layer, std::int64_t seed);
  // hidden [B, L, H] -> [B, L, H], in its type. Rows that `audio` does not name, and rows at gate 0, keep
  // their bits.
  [[nodiscard]] torch::Tensor fuse(const torch::Tensor& hidden, const AudioInput& audio) const;
  [[nodiscard]] std::vector<Parameter> parameters() const;
  [[nodiscard]] std::map<std::string, torch::Tensor> frozen() const;
  void set_frozen(const std::map<std::string, torch::Tensor>& from);
  void move_to(torch::Device device);  // as AdapterLinear::move_to
  // What the maps are given: h^ [R, L, H] to query and gate, the heads' sums of values through the gate
  // [R, L, H] to the output.
  struct Inputs {
    torch::Tensor normed, gated;
  };
  // tokens [R, K, H], one set for each row of hidden [R, L, H].
  [[nodiscard]] Inputs inputs(const torch::Tensor& hidden, const torch::Tensor& tokens) const;
  AdapterLinear& query() { return query_; }
  AdapterLinear& key() { return key_; }
  AdapterLinear& value() { return value_; }
  AdapterLinear& output() { return output_; }
  AdapterLinear& gate() { return gate_; }
  [[nodiscard]] const AdapterLinear& gate() const { return gate_; }

 private:
  // The maps with the names under which a checkpoint stores them.
  template <typename Block>
  [[nodiscard]] static auto maps_of(Block& block);
  [[nodiscard]] torch::Tensor delta(const torch::Tensor& hidden, const AudioInput& audio) const;

  std::string name_;
  std::int64_t heads_ = 1;
  AdapterLinear query_, key_, value_, output_, gate_;
};

// h / rms(h) over the last axis; what queries and gate see. [.., H] -> [.., H]
[[nodiscard]] torch::Tensor rms_normed(const torch::Tensor& hidden);

class Fusion {
 public:
  Fusion(const FusionConfig& config, std::int64_t seed);
  [[nodiscard]] const FusionConfig& config() const { return config_; }
  [[nodiscard]] std::int64_t first_layer() const { return config_.layers.front(); }
  // hidden, the output of decoder layer `layer` [B, L, H], comes back unchanged where the layer is not fused.
  [[nodiscard]] torch::Tensor fuse(std::int64_t layer, const torch::Tensor& hidden,
                                   const AudioInput& audio) const;
  [[nodiscard]] std::vector<Parameter> parameters() const;
  [[nodiscard]] std::map<std::string, torch::Tensor> frozen() const;
  void set_frozen(const std::map<std::string, torch::Tensor>& from);
  void move_to(torch::Device device);  // as AdapterLinear::move_to
  std::map<std::int64_t, FusionBlock>& blocks() { return blocks_; }
  [[nodiscard]] const std::map<std::int64_t, FusionBlock>& blocks() const { return blocks_; }

 private:
  FusionConfig config_;
  std::map<std::int64_t, FusionBlock> blocks_;
};

}  // namespace trainer
