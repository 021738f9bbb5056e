// The audio projector: one clip vector becomes K audio tokens of the language model's width.
//
//   LayerNorm(D) -> Linear D->bottleneck -> GELU(erf) -> Linear bottleneck->K*H -> reshape [., K, H] ->
//   LayerNorm(H)
//
// Axes: R rows with audio, D width of the audio encoder, K audio tokens, H width of the language model.
//
// With the silence baseline the tokens are proj(e) - proj(e_silence), so a silent clip gives exactly zero
// tokens, whatever the weights have become. The second LayerNorm has no affine: a bias there would survive
// the subtraction in no other place than it does good.
#pragma once

#include <vector>

#include "trainer/model/adapter_linear.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

enum class SilenceBaseline { subtract, keep };

struct ProjectorConfig {
  std::int64_t audio_width = 0;  // D
  std::int64_t bottleneck = 128;
  std::int64_t tokens = 4;  // K
  std::int64_t width = 0;   // H
  SilenceBaseline silence_baseline = SilenceBaseline::subtract;
};

class Projector {
 public:
  Projector(const ProjectorConfig& config, std::int64_t seed);
  // clips [R, D], silence [D] (the encoder's vector of a silent clip) -> tokens [R, K, H].
  [[nodiscard]] torch::Tensor tokens(const torch::Tensor& clips, const torch::Tensor& silence) const;
  // What the two linear maps are given: [R, D] and [R, bottleneck].
  struct Inputs {
    torch::Tensor first, second;
  };
  [[nodiscard]] Inputs inputs(const torch::Tensor& clips) const;
  [[nodiscard]] std::vector<Parameter> parameters() const;
  [[nodiscard]] std::map<std::string, torch::Tensor> frozen() const;
  void set_frozen(const std::map<std::string, torch::Tensor>& from);
  void move_to(torch::Device device);  // as AdapterLinear::move_to
  AdapterLinear& linear1() { return linear1_; }
  AdapterLinear& linear2() { return linear2_; }
  [[nodiscard]] const ProjectorConfig& config() const { return config_; }

 private:
  [[nodiscard]] torch::Tensor project(const torch::Tensor& clips) const;

  ProjectorConfig config_;
  torch::Tensor norm_weight_, norm_bias_;  // [D]
  AdapterLinear linear1_, linear2_;        // D -> bottleneck -> K*H
};

}  // namespace trainer
