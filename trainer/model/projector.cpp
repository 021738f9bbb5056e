#include "trainer/model/projector.hpp"

#include <cmath>

namespace trainer {
namespace {
constexpr double k_norm_epsilon = 1e-6;
}

Projector::Projector(const ProjectorConfig& config, std::int64_t seed) : config_(config) {
  at::Generator generator = make_generator(seed, "projector");
  const auto deviation = [](std::int64_t fan_in) { return 1.0 / std::sqrt(static_cast<double>(fan_in)); };
  norm_weight_ = torch::ones({config.audio_width}).set_requires_grad(true);
  norm_bias_ = zero_leaf({config.audio_width});
  linear1_ =
      AdapterLinear::full(config.bottleneck, config.audio_width, deviation(config.audio_width), generator)
          .with_bias();
  linear2_ = AdapterLinear::full(config.tokens * config.width, config.bottleneck,
                                 deviation(config.bottleneck), generator)
                 .with_bias();
}

Projector::Inputs Projector::inputs(const torch::Tensor& clips) const {
  const torch::Tensor normed =
      torch::layer_norm(clips, {config_.audio_width}, norm_weight_, norm_bias_, k_norm_epsilon);
  return {normed, torch::gelu(linear1_(normed))};
}

torch::Tensor Projector::project(const torch::Tensor& clips) const {
  const torch::Tensor outer = linear2_(inputs(clips).second);
  return torch::layer_norm(outer.view({clips.size(0), config_.tokens, config_.width}), {config_.width}, {},
                           {}, k_norm_epsilon);
}

torch::Tensor Projector::tokens(const torch::Tensor& clips, const torch::Tensor& silence) const {
  if (config_.silence_baseline == SilenceBaseline::keep) return project(clips);
  // One product for the clips and for silence; where a clip *is* silence the difference is set to zero
  // outright, because the rows of one product may round differently.
  const torch::Tensor both = project(torch::cat({clips, silence.unsqueeze(0)}));
  const torch::Tensor difference = both.slice(0, 0, clips.size(0)) - both.slice(0, clips.size(0));
  const torch::Tensor silent = clips.eq(silence).all(1).view({-1, 1, 1});
  return torch::where(silent, torch::zeros_like(difference), difference);
}

std::vector<Parameter> Projector::parameters() const {
  const auto group = ParameterGroup::projector;
  std::vector<Parameter> all = {{"audio_projector.norm.weight", group, norm_weight_},
                                {"audio_projector.norm.bias", group, norm_bias_}};
  linear1_.append_parameters("audio_projector.linear_1", group, all);
  linear2_.append_parameters("audio_projector.linear_2", group, all);
  return all;
}

void Projector::move_to(torch::Device device) {
  norm_weight_ = moved_leaf(norm_weight_, device);
  norm_bias_ = moved_leaf(norm_bias_, device);
  linear1_.move_to(device);
  linear2_.move_to(device);
}

std::map<std::string, torch::Tensor> Projector::frozen() const {
  std::map<std::string, torch::Tensor> all;
  linear1_.append_frozen("audio_projector.linear_1", all);
  linear2_.append_frozen("audio_projector.linear_2", all);
  return all;
}

void Projector::set_frozen(const std::map<std::string, torch::Tensor>& from) {
  linear1_.set_frozen("audio_projector.linear_1", from);
  linear2_.set_frozen("audio_projector.linear_2", from);
}

}  // namespace trainer
