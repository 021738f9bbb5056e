#include "trainer/model/vision.hpp"

#include "common/error.hpp"
#include "trainer/model/activate.hpp"
#include "trainer/model/compat.hpp"

namespace trainer {

VisionTower::VisionTower(const VisionConfig& config)
    : config_(config), layers_(static_cast<std::size_t>(config.layers)) {
  pre_norm_.epsilon = config.norm_epsilon;
  post_norm_.epsilon = config.norm_epsilon;
  for (auto& layer : layers_) layer.norm_before.epsilon = layer.norm_after.epsilon = config.norm_epsilon;
}

void VisionTower::visit(const WeightVisitor& visitor) {
  const auto& c = config_;
  const std::string model = "vision_tower.vision_model.";
  const auto side = c.image_side / c.patch_side;
  visitor(model + "embeddings.class_embedding", class_embedding_, {c.hidden}, Start::embedding);
  visitor(model + "embeddings.patch_embedding.weight", patch_embedding_,
          {c.hidden, 3, c.patch_side, c.patch_side}, Start::fan_in);
  visitor(model + "embeddings.position_embedding.weight", position_embedding_, {side * side + 1, c.hidden},
          Start::embedding);
  visit_norm(visitor, model + "pre_layrnorm", pre_norm_,
             c.hidden);  // the name is spelled so in every checkpoint
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    auto& layer = layers_[i];
    const auto name = model + "encoder.layers." + std::to_string(i) + ".";
    visit_norm(visitor, name + "layer_norm1", layer.norm_before, c.hidden);
    visit_norm(visitor, name + "layer_norm2", layer.norm_after, c.hidden);
    visit_linear(visitor, name + "self_attn.q_proj", layer.query, c.hidden, c.hidden, Bias::present);
    visit_linear(visitor, name + "self_attn.k_proj", layer.key, c.hidden, c.hidden, Bias::present);
    visit_linear(visitor, name + "self_attn.v_proj", layer.value, c.hidden, c.hidden, Bias::present);
    visit_linear(visitor, name + "self_attn.out_proj", layer.out, c.hidden, c.hidden, Bias::present);
    visit_linear(visitor, name + "mlp.fc1", layer.fc1, c.hidden, c.intermediate, Bias::present);
    visit_linear(visitor, name + "mlp.fc2", layer.fc2, c.intermediate, c.hidden, Bias::present);
  }
  visit_norm(visitor, model + "post_layernorm", post_norm_, c.hidden);
}

torch::Tensor VisionTower::embed(const torch::Tensor& pixels) const {
  const auto rows = pixels.size(0);
  const auto patches = strided_map(pixels, patch_embedding_, config_.patch_side).flatten(2).transpose(1, 2);
  const auto first = class_embedding_.expand({rows, 1, config_.hidden});
  return pre_norm_(at::cat({first, patches}, 1) + position_embedding_);  // [B,N,D]
}

torch::Tensor VisionTower::run_layer(const Layer& layer, const torch::Tensor& x) const {
  const auto rows = x.size(0), tokens = x.size(1), width = config_.hidden / config_.heads;
  const auto split = [&](const torch::Tensor& y) {
    return y.view({rows, tokens, config_.heads, width}).transpose(1, 2);
  };
  const auto normed = layer.norm_before(x);
  const double scale = 1 / std::sqrt(static_cast<double>(width));
  const auto mixed =
      attend(split(layer.query(normed)), split(layer.key(normed)), split(layer.value(normed)), {}, scale);
  const auto middle = x + layer.out(mixed.transpose(1, 2).reshape({rows, tokens, config_.hidden}));
  return middle + layer.fc2(activate(config_.activation, layer.fc1(layer.norm_after(middle))));
}

torch::Tensor VisionTower::run(const torch::Tensor& pixels, const std::vector<std::int64_t>& layers) const {
  ENSURE(pixels.dim() == 4 && pixels.size(1) == 3 && pixels.size(2) == config_.image_side &&
         pixels.size(3) == config_.image_side);
  std::vector<std::int64_t> wanted;
  for (const auto layer : layers) wanted.push_back(layer < 0 ? layer + config_.layers + 1 : layer);
  const auto last = *std::max_element(wanted.begin(), wanted.end());
  std::vector<torch::Tensor> states{
      embed(pixels.to(patch_embedding_.device(), patch_embedding_.scalar_type()))};
  for (std::int64_t i = 0; i < last; ++i)
    states.push_back(run_layer(layers_[static_cast<std::size_t>(i)], states.back()));
  if (wanted.size() == 1) return states[static_cast<std::size_t>(wanted[0])];
  std::vector<torch::Tensor> chosen;
  for (const auto layer : wanted) chosen.push_back(states[static_cast<std::size_t>(layer)]);
  return at::cat(chosen, -1);
}

}  // namespace trainer
