#include "trainer/formats/clap_config.hpp"

#include <fmt/format.h>

#include "trainer/formats/config_reader.hpp"

namespace trainer {

using common::Json;

namespace {

// Several times those of any published encoder: spectrogram, tokens along one side of it, window, blocks.
constexpr std::int64_t k_side_limit = 1024, k_token_limit = 256, k_window_limit = 16, k_depth_limit = 64;

std::int64_t square_side(const ConfigReader& reader, const char* key, std::int64_t fallback) {
  const auto sides = reader.integers(key, {fallback});
  if (sides.size() > 2 || sides.front() != sides.back()) reader.refuse(fmt::format("{} is not square", key));
  return sides.front();
}

void check_audio(const ConfigReader& reader, const ClapConfig& c) {
  if (c.fusion && reader.string("fusion_type", "") == "channel_map")
    reader.refuse("fusion_type channel_map is not supported; null is");
  if (reader.integer("patch_embed_input_channels", 1) != 1)
    reader.refuse("patch_embed_input_channels is not 1");
  if (!reader.boolean("flatten_patch_embeds", true)) reader.refuse("flatten_patch_embeds is not true");
  const auto hidden = reader.integer("hidden_size", c.frame_width());
  if (hidden != c.frame_width())
    reader.refuse(fmt::format("hidden_size {} is not the last stage's width {}", hidden, c.frame_width()));
}

}  // namespace

ClapConfig parse_clap_config(const Json& config, const std::string& name) {
  const ConfigReader top(config, name);
  const auto type = top.string("model_type", "clap");
  if (type != "clap" && type != "clap_audio_model")
    top.refuse("model_type " + type + " is not supported; clap and clap_audio_model are");
  const ConfigReader reader = type == "clap" ? top.object("audio_config") : top;
  ClapConfig c;
  c.window = reader.integer("window_size", c.window);
  c.mel_bins = reader.integer("num_mel_bins", c.mel_bins);
  c.spec_side = reader.integer("spec_size", c.spec_side);
  c.patch_side = square_side(reader, "patch_size", c.patch_side);
  c.patch_stride = square_side(reader, "patch_stride", c.patch_stride);
  c.embed = reader.integer("patch_embeds_hidden_size", c.embed);
  c.depths = reader.integers("depths", c.depths);
  c.heads = reader.integers("num_attention_heads", c.heads);
  c.mlp_ratio = reader.number("mlp_ratio", c.mlp_ratio);
  c.norm_epsilon = reader.number("layer_norm_eps", c.norm_epsilon);
  c.qkv_bias = reader.boolean("qkv_bias", c.qkv_bias);
  c.patch_norm = reader.boolean("enable_patch_layer_norm", c.patch_norm);
  c.fusion = reader.boolean("enable_fusion", c.fusion);
  c.fusion_reduction = reader.integer("aff_block_r", c.fusion_reduction);
  c.activation = reader.activation("hidden_act", c.activation);
  // ClapConfig overwrites the audio half's own values with those at the top, defaults included.
  c.projection = top.integer("projection_dim", c.projection);
  c.projection_activation = top.activation("projection_hidden_act", c.projection_activation);
  check(c, reader.where());
  check_audio(reader, c);
  return c;
}

void check(const ClapConfig& c, const std::string& name) {
  const auto require = [&](bool holds, const std::string& what) {
    if (!holds) refuse_config(name, what);
  };
  require(c.mel_bins >= 1 && c.mel_bins <= k_side_limit && c.spec_side >= c.mel_bins &&
              c.spec_side <= k_side_limit && c.spec_side % c.mel_bins == 0,
          fmt::format("num_mel_bins {} does not divide spec_size {}", c.mel_bins, c.spec_side));
  require(c.patch_stride >= 1 && c.patch_side >= c.patch_stride && c.patch_side <= c.spec_side &&
              (c.patch_side - c.patch_stride) % 2 == 0 && c.spec_side % c.patch_stride == 0 &&
              c.spec_side / c.patch_stride <= k_token_limit,
          fmt::format("patch_size {} and patch_stride {} do not tile spec_size {}", c.patch_side,
                      c.patch_stride, c.spec_side));
  require(c.stages() >= 1 && c.stages() <= 8 && c.heads.size() == c.depths.size(),
          "depths and num_attention_heads are not lists of one length, 1 to 8");
  require(c.embed >= 1 && c.embed <= 4096 && c.projection >= 1 && c.projection <= (1 << 16),
          "patch_embeds_hidden_size or projection_dim is out of bounds");
  require(c.fusion_reduction >= 1 && c.fusion_reduction <= c.embed,
          fmt::format("aff_block_r {} is not in 1..{}", c.fusion_reduction, c.embed));
  require(c.norm_epsilon > 0 && c.norm_epsilon < 1, "layer_norm_eps is not between 0 and 1");
  require(c.window >= 2 && c.window <= k_window_limit && c.mlp_ratio > 0 && c.mlp_ratio <= 64,
          "window_size or mlp_ratio is out of bounds");
  auto side = c.spec_side / c.patch_stride;
  for (std::int64_t stage = 0; stage < c.stages(); ++stage) {
    const auto heads = c.heads[static_cast<std::size_t>(stage)],
               depth = c.depths[static_cast<std::size_t>(stage)];
    require(depth >= 1 && depth <= k_depth_limit && heads >= 1 && c.width(stage) % heads == 0,
            fmt::format("stage {}: {} blocks, and {} heads for a width of {}", stage, depth, heads,
                        c.width(stage)));
    require(side >= c.window && side % c.window == 0,
            fmt::format("stage {}: windows of {} do not tile {} tokens", stage, c.window, side));
    require(stage + 1 == c.stages() || side % 2 == 0,
            fmt::format("stage {}: {} tokens cannot be halved", stage, side));
    side /= 2;
  }
}

Json format_clap_config(const ClapConfig& c) {
  Json audio = {{"model_type", "clap_audio_model"},
                {"window_size", c.window},
                {"num_mel_bins", c.mel_bins},
                {"spec_size", c.spec_side},
                {"patch_size", c.patch_side},
                {"patch_stride", {c.patch_stride, c.patch_stride}},
                {"patch_embeds_hidden_size", c.embed},
                {"hidden_size", c.frame_width()},
                {"depths", c.depths},
                {"num_attention_heads", c.heads},
                {"num_hidden_layers", c.stages()},
                {"mlp_ratio", c.mlp_ratio},
                {"layer_norm_eps", c.norm_epsilon},
                {"qkv_bias", c.qkv_bias},
                {"enable_patch_layer_norm", c.patch_norm},
                {"enable_fusion", c.fusion},
                {"hidden_act", name_of(c.activation)},
                {"projection_dim", c.projection},
                {"projection_hidden_act", name_of(c.projection_activation)}};
  if (c.fusion) audio["aff_block_r"] = c.fusion_reduction;
  return {{"model_type", "clap"},           {"architectures", {"ClapAudioModelWithProjection"}},
          {"projection_dim", c.projection}, {"projection_hidden_act", name_of(c.projection_activation)},
          {"torch_dtype", "float32"},       {"audio_config", audio}};
}

}  // namespace trainer
