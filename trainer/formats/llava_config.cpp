#include "trainer/formats/llava_config.hpp"

#include <fmt/format.h>

#include "trainer/formats/config_reader.hpp"

namespace trainer {

using common::Json;

namespace {

constexpr std::size_t k_feature_layer_limit = 64;

VisionConfig parse_vision(const ConfigReader& reader, bool present) {
  const auto type = reader.string("model_type", "clip_vision_model");
  if (type != "clip_vision_model")
    reader.refuse("model_type " + type + " is not supported; clip_vision_model is");
  VisionConfig c;
  // LlavaConfig's own vision tower, where the file has no vision_config at all.
  if (!present)
    c.hidden = 1024, c.intermediate = 4096, c.layers = 24, c.heads = 16, c.image_side = 336,
    c.patch_side = 14;
  c.hidden = reader.integer("hidden_size", c.hidden);
  c.intermediate = reader.integer("intermediate_size", c.intermediate);
  c.layers = reader.integer("num_hidden_layers", c.layers);
  c.heads = reader.integer("num_attention_heads", c.heads);
  c.image_side = reader.integer("image_size", c.image_side);
  c.patch_side = reader.integer("patch_size", c.patch_side);
  c.activation = reader.activation("hidden_act", c.activation);
  c.norm_epsilon = reader.number("layer_norm_eps", c.norm_epsilon);
  return c;
}

// Three generations of spelling: rope_theta with rope_scaling {type}, with {rope_type}, and rope_parameters.
void parse_rope(const ConfigReader& reader, DecoderConfig& c) {
  const auto scaling = reader.object(reader.has("rope_parameters") ? "rope_parameters" : "rope_scaling");
  c.rope_theta = scaling.number("rope_theta", reader.number("rope_theta", c.rope_theta));
  const auto type = scaling.string("rope_type", scaling.string("type", "default"));
  if (type == "linear") {
    c.rope_scale = scaling.number("factor", 1);
  } else if (type != "default") {
    scaling.refuse("rotary embedding " + type + " is not supported; default and linear are");
  }
}

DecoderConfig mistral_defaults() {
  DecoderConfig c;
  c.kind = DecoderKind::mistral;
  c.intermediate = 14336;
  c.kv_heads = 8;
  c.position_limit = 131072;
  c.window = 4096;
  return c;
}

DecoderConfig parse_text(const ConfigReader& reader) {
  const auto type = reader.string("model_type", "llama");
  if (type != "llama" && type != "mistral")
    reader.refuse("model_type " + type + " is not supported; llama and mistral are");
  if (reader.activation("hidden_act", Activation::silu) != Activation::silu)
    reader.refuse("hidden_act is not silu");
  DecoderConfig c = type == "mistral" ? mistral_defaults() : DecoderConfig{};
  c.vocabulary = reader.integer("vocab_size", c.vocabulary);
  c.hidden = reader.integer("hidden_size", c.hidden);
  c.intermediate = reader.integer("intermediate_size", c.intermediate);
  c.layers = reader.integer("num_hidden_layers", c.layers);
  c.heads = reader.integer("num_attention_heads", c.heads);
  c.kv_heads = reader.integer("num_key_value_heads", c.kind == DecoderKind::mistral ? c.kv_heads : c.heads);
  c.head_width = reader.integer("head_dim", c.heads > 0 ? c.hidden / c.heads : 0);
  c.position_limit = reader.integer("max_position_embeddings", c.position_limit);
  c.norm_epsilon = reader.number("rms_norm_eps", c.norm_epsilon);
  c.attention_bias = reader.boolean("attention_bias", false);
  c.mlp_bias = reader.boolean("mlp_bias", false);
  c.tied_embeddings = reader.boolean("tie_word_embeddings", false);
  c.bos_token = reader.integer("bos_token_id", c.bos_token);
  c.eos_token = reader.integers("eos_token_id", {c.eos_token}).front();
  // Here, unlike elsewhere, null is not the default: it is no window.
  if (c.kind == DecoderKind::mistral)
    c.window = reader.json().contains("sliding_window") ? reader.integer("sliding_window", 0) : c.window;
  parse_rope(reader, c);
  return c;
}

// Bounds that no real model comes near, so that a wrong file cannot size an allocation.
void check_size(const std::string& name, const char* what, std::int64_t value, std::int64_t limit) {
  if (value < 1 || value > limit)
    refuse_config(name, fmt::format("{} is {}, not in 1..{}", what, value, limit));
}

void check_epsilon(const std::string& name, const char* what, double value) {
  if (!(value > 0 && value < 1))
    refuse_config(name, fmt::format("{} {} is not between 0 and 1", what, value));
}

void check_divides(const std::string& name, const char* part_name, std::int64_t part, const char* whole_name,
                   std::int64_t whole) {
  if (whole % part != 0)
    refuse_config(name, fmt::format("{} {} does not divide {} {}", part_name, part, whole_name, whole));
}

void check_vision(const VisionConfig& c, const std::string& name) {
  check_size(name, "hidden_size", c.hidden, 1 << 16);
  check_size(name, "intermediate_size", c.intermediate, 1 << 20);
  check_size(name, "num_hidden_layers", c.layers, 1024);
  check_size(name, "num_attention_heads", c.heads, 1024);
  check_size(name, "image_size", c.image_side, 4096);
  check_size(name, "patch_size", c.patch_side, c.image_side);
  check_epsilon(name, "layer_norm_eps", c.norm_epsilon);
  check_divides(name, "num_attention_heads", c.heads, "hidden_size", c.hidden);
}

void check_text(const DecoderConfig& c, const std::string& name) {
  check_size(name, "vocab_size", c.vocabulary, 1 << 24);
  check_size(name, "hidden_size", c.hidden, 1 << 16);
  check_size(name, "intermediate_size", c.intermediate, 1 << 20);
  check_size(name, "num_hidden_layers", c.layers, 1024);
  check_size(name, "num_attention_heads", c.heads, 1024);
  check_size(name, "num_key_value_heads", c.kv_heads, c.heads);
  check_size(name, "head_dim", c.head_width, 1 << 14);
  check_divides(name, "num_key_value_heads", c.kv_heads, "num_attention_heads", c.heads);
  if (c.head_width % 2 != 0)
    refuse_config(name,
                  fmt::format("head_dim is {}, and must be even; where it is not given it is hidden_size {} "
                              "divided by num_attention_heads {}",
                              c.head_width, c.hidden, c.heads));
  check_size(name, "max_position_embeddings", c.position_limit, 1 << 24);
  check_epsilon(name, "rms_norm_eps", c.norm_epsilon);
  if (!(c.rope_scale > 0 && c.rope_scale < 1e6) || !(c.rope_theta > 0 && c.rope_theta < 1e12))
    refuse_config(name, fmt::format("rope_theta {} or the rope factor {} is out of bounds", c.rope_theta,
                                    c.rope_scale));
  if (c.window < 0) refuse_config(name, fmt::format("sliding_window is {}", c.window));
  if (c.eos_token < 0 || c.eos_token >= c.vocabulary)
    refuse_config(name,
                  fmt::format("eos_token_id {} is not in a vocabulary of {}", c.eos_token, c.vocabulary));
}

}  // namespace

std::int64_t LlavaConfig::image_positions() const {
  const auto side = vision.image_side / vision.patch_side;
  return side * side + (selection == FeatureSelection::all ? 1 : 0);
}

void check(const LlavaConfig& config, const std::string& name) {
  check_vision(config.vision, name + ": vision_config");
  check_text(config.text, name + ": text_config");
  const auto layers = config.vision.layers;
  for (const auto layer : config.feature_layers)
    if (layer < -layers - 1 || layer > layers)
      refuse_config(name, fmt::format("vision_feature_layer {} of {} layers", layer, layers));
  if (config.feature_layers.empty() || config.feature_layers.size() > k_feature_layer_limit)
    refuse_config(name, fmt::format("vision_feature_layer names {} layers", config.feature_layers.size()));
  if (config.image_token < 0 || config.image_token >= config.text.vocabulary)
    refuse_config(name, fmt::format("image_token_index {} is not in a vocabulary of {}", config.image_token,
                                    config.text.vocabulary));
  if (config.image_positions() >= config.text.row_limit())
    refuse_config(name, fmt::format("an image takes {} positions of {} {}", config.image_positions(),
                                    config.text.window > 0 ? "sliding_window" : "max_position_embeddings",
                                    config.text.row_limit()));
}

LlavaConfig parse_llava_config(const Json& config, const std::string& name) {
  const ConfigReader reader(config, name);
  const auto type = reader.string("model_type", "llava");
  if (type != "llava" || reader.has("mm_vision_tower"))
    reader.refuse("model_type " + type + " is not supported; llava, as Hugging Face stores it, is");
  LlavaConfig c;
  c.vision = parse_vision(reader.object("vision_config"), reader.has("vision_config"));
  c.text = parse_text(reader.object("text_config"));
  // The switch at the top is the one that transformers obeys for the whole model.
  c.text.tied_embeddings = reader.boolean("tie_word_embeddings", c.text.tied_embeddings);
  c.image_token = reader.integer("image_token_index", reader.integer("image_token_id", c.image_token));
  c.pad_token = reader.integer("pad_token_id", c.pad_token);
  c.feature_layers = reader.integers("vision_feature_layer", c.feature_layers);
  const auto strategy = reader.string("vision_feature_select_strategy", "default");
  if (strategy != "default" && strategy != "full")
    reader.refuse("vision_feature_select_strategy " + strategy + " is neither default nor full");
  c.selection = strategy == "full" ? FeatureSelection::all : FeatureSelection::patches;
  c.projector_activation = reader.activation("projector_hidden_act", c.projector_activation);
  c.projector_bias = reader.boolean("multimodal_projector_bias", c.projector_bias);
  return c;
}

namespace {

Json format_vision(const VisionConfig& c) {
  return {{"model_type", "clip_vision_model"},   {"hidden_size", c.hidden},
          {"intermediate_size", c.intermediate}, {"num_hidden_layers", c.layers},
          {"num_attention_heads", c.heads},      {"image_size", c.image_side},
          {"patch_size", c.patch_side},          {"num_channels", 3},
          {"projection_dim", c.hidden},          {"hidden_act", name_of(c.activation)},
          {"layer_norm_eps", c.norm_epsilon}};
}

Json format_text(const DecoderConfig& c) {
  Json text = {{"model_type", "llama"},
               {"architectures", {"LlamaForCausalLM"}},
               {"vocab_size", c.vocabulary},
               {"hidden_size", c.hidden},
               {"intermediate_size", c.intermediate},
               {"num_hidden_layers", c.layers},
               {"num_attention_heads", c.heads},
               {"num_key_value_heads", c.kv_heads},
               {"head_dim", c.head_width},
               {"hidden_act", "silu"},
               {"max_position_embeddings", c.position_limit},
               {"rms_norm_eps", c.norm_epsilon},
               {"rope_theta", c.rope_theta},
               {"attention_bias", c.attention_bias},
               {"mlp_bias", c.mlp_bias},
               {"tie_word_embeddings", c.tied_embeddings},
               {"bos_token_id", c.bos_token},
               {"eos_token_id", c.eos_token}};
  text["rope_scaling"] = nullptr;
  if (c.kind == DecoderKind::mistral) {
    text["model_type"] = "mistral";
    text["architectures"] = {"MistralForCausalLM"};
    text["sliding_window"] = c.window > 0 ? Json(c.window) : Json(nullptr);
  }
  if (c.rope_scale != 1) text["rope_scaling"] = {{"type", "linear"}, {"factor", c.rope_scale}};
  return text;
}

}  // namespace

Json format_llava_config(const LlavaConfig& config) {
  Json json = {{"model_type", "llava"},
               {"architectures", {"LlavaForConditionalGeneration"}},
               {"image_token_index", config.image_token},
               {"pad_token_id", config.pad_token},
               {"ignore_index", -100},
               {"projector_hidden_act", name_of(config.projector_activation)},
               {"multimodal_projector_bias", config.projector_bias}};
  json["vision_feature_layer"] = config.feature_layers;
  if (config.feature_layers.size() == 1) json["vision_feature_layer"] = config.feature_layers.front();
  json["vision_feature_select_strategy"] = config.selection == FeatureSelection::all ? "full" : "default";
  json["image_seq_length"] = config.image_positions();
  json["tie_word_embeddings"] = config.text.tied_embeddings;
  json["torch_dtype"] = "float32";
  json["text_config"] = format_text(config.text);
  json["vision_config"] = format_vision(config.vision);
  return json;
}

}  // namespace trainer
