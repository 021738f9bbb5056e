#include "trainer/model/llava.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "trainer/formats/model_form.hpp"
#include "trainer/model/activate.hpp"

namespace trainer {

namespace {

std::string with_prefix(const std::string& name, std::string_view from, std::string_view to) {
  return name.starts_with(from) ? std::string(to) + name.substr(from.size()) : name;
}

bool starts_with_any(const std::string& name, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(), [&](auto text) { return name.starts_with(text); });
}

}  // namespace

// The layouts, by writer: transformers up to 4.51 and what later ones write (classic); raw state of 4.52 and
// later
// ("model.language_model.layers", "lm_head", later no "vision_model."); PEFT ("base_model.model."); the
// original LLaVA ("model.layers", "model.mm_projector.0"); CLIP alone ("vision_model.").
std::string canonical_llava_name(const std::string& name) {
  if (name.find("rotary_emb.inv_freq") != std::string::npos || name.ends_with("position_ids")) return "";
  if (starts_with_any(name, {"text_model.", "text_projection.", "visual_projection.", "logit_scale"}))
    return "";
  auto n = with_prefix(name, "base_model.model.", "");
  n = with_prefix(n, "model.vision_tower.", "vision_tower.");
  n = with_prefix(n, "model.multi_modal_projector.", "multi_modal_projector.");
  n = with_prefix(n, "model.mm_projector.", "mm_projector.");
  n = with_prefix(n, "model.language_model.", "language_model.");
  n = with_prefix(n, "mm_projector.0.", "multi_modal_projector.linear_1.");
  n = with_prefix(n, "mm_projector.2.", "multi_modal_projector.linear_2.");
  if (starts_with_any(n, {"model.layers.", "model.embed_tokens.", "model.norm."})) n = "language_model." + n;
  if (starts_with_any(n, {"language_model.layers.", "language_model.embed_tokens.", "language_model.norm."}))
    n = with_prefix(n, "language_model.", "language_model.model.");
  if (n.starts_with("lm_head.")) n = "language_model." + n;
  n = with_prefix(n, "vision_tower.vision_tower.", "vision_tower.");
  if (n.starts_with("vision_model.")) n = "vision_tower." + n;
  if (starts_with_any(n, {"vision_tower.embeddings.", "vision_tower.encoder.", "vision_tower.pre_layrnorm.",
                          "vision_tower.post_layernorm."}))
    n = with_prefix(n, "vision_tower.", "vision_tower.vision_model.");
  return n;
}

Llava::Llava(const LlavaConfig& config, const Placement& placement)
    : config_(config), placement_(placement), vision_(config.vision), decoder_(config.text) {}

void Llava::visit(const WeightVisitor& visitor) {
  vision_.visit(visitor);
  const auto bias = config_.projector_bias ? Bias::present : Bias::none;
  const auto in = config_.vision.hidden * static_cast<std::int64_t>(config_.feature_layers.size());
  const auto out = config_.text.hidden;
  visit_linear(visitor, "multi_modal_projector.linear_1", projector_1_, in, out, bias);
  visit_linear(visitor, "multi_modal_projector.linear_2", projector_2_, out, out, bias);
  decoder_.visit(visitor);
}

Llava Llava::load(const ModelFolder& folder, const Placement& placement) {
  const auto name = folder.path_of(k_model_config_name);
  auto config = parse_llava_config(read_model_config(folder), name.string());
  const SafetensorsFolder weights(folder);
  // Embeddings are padded beyond what config.json says in some revisions; the tensor is right.
  for (const auto& tensor : weights.names())
    if (canonical_llava_name(tensor) == "language_model.model.embed_tokens.weight" &&
        weights.entry(tensor).shape.size() == 2)
      config.text.vocabulary = weights.entry(tensor).shape[0];
  check(config, name.string());
  Llava llava(config, placement);
  // Where embeddings are tied some writers store them twice.
  const auto canonical = [&](const std::string& tensor) {
    std::string ours = canonical_llava_name(tensor);
    return config.text.tied_embeddings && ours == "language_model.lm_head.weight" ? std::string() : ours;
  };
  load_weights([&](const WeightVisitor& visitor) { llava.visit(visitor); }, weights, canonical, placement);
  return llava;
}

Llava Llava::random(const LlavaConfig& config, std::int64_t seed, const Placement& placement) {
  check(config, "the configuration");
  Llava llava(config, placement);
  start_randomly([&](const WeightVisitor& visitor) { llava.visit(visitor); }, seed, placement);
  return llava;
}

ModelFiles Llava::files() {
  const std::string config = common::dump_pretty(format_llava_config(config_)) + "\n";
  return {{"model.safetensors", format_safetensors({parameters(), {{"format", "pt"}}})},
          {k_model_config_name, {config.begin(), config.end()}}};
}

NamedTensors Llava::parameters() {
  return weights_by_name([&](const WeightVisitor& visitor) { visit(visitor); });
}

torch::Tensor Llava::encode_images(const torch::Tensor& pixels, const Tap& tap) const {
  auto states = vision_.run(pixels, config_.feature_layers);
  if (config_.selection == FeatureSelection::patches) states = states.slice(1, 1);
  if (tap) tap("vision features", states);
  const auto features = projector_2_(activate(config_.projector_activation, projector_1_(states)));
  if (tap) tap("projector", features);
  return features;
}

torch::Tensor Llava::embed(const torch::Tensor& ids, const torch::Tensor& features) const {
  const auto hidden = decoder_.embed(ids);
  if (!features.defined()) return hidden;
  const auto at = (ids.reshape({-1}) == config_.image_token).nonzero().squeeze(1);  // [images * P]
  const auto rows = features.reshape({-1, config_.text.hidden});
  ENSURE(at.size(0) == rows.size(0));
  return hidden.reshape({-1, config_.text.hidden}).index_copy(0, at, rows).view(hidden.sizes());
}

TokenIds Llava::expand_image(const TokenIds& ids) const {
  TokenIds expanded;
  for (const auto id : ids)
    expanded.insert(expanded.end(),
                    static_cast<std::size_t>(id == config_.image_token ? config_.image_positions() : 1), id);
  return expanded;
}

torch::Tensor Llava::run(const torch::Tensor& hidden, const torch::Tensor& valid,
                         const LayerHook& hook) const {
  return decoder_.logits(decoder_.run_layers(hidden, 0, decoder_.layers(), decoder_.context(valid), hook));
}

}  // namespace trainer
