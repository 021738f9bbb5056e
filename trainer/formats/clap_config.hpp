// config.json of a CLAP folder, its audio half (HTSAT, a Swin transformer over log-mels), every default
// resolved.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "trainer/formats/activation.hpp"

namespace trainer {

struct ClapConfig {
  std::int64_t window = 8;       // side of an attention window, in tokens
  std::int64_t mel_bins = 64;    // F
  std::int64_t spec_side = 256;  // side of the square image that the mels are folded into
  std::int64_t patch_side = 4, patch_stride = 4;
  std::int64_t embed = 96;  // width of the first stage; doubles with each
  std::vector<std::int64_t> depths = {2, 2, 6, 2}, heads = {4, 8, 16, 32};
  double mlp_ratio = 4, norm_epsilon = 1e-5;
  bool qkv_bias = true, patch_norm = true;
  Activation activation = Activation::gelu, projection_activation = Activation::relu;
  std::int64_t projection = 512;  // D
  // A clip is heard as four spectrograms: the whole of it, and its beginning, middle and end.
  bool fusion = false;
  std::int64_t fusion_reduction = 4;  // how much narrower the attention between them is than `embed`

  [[nodiscard]] std::int64_t stages() const { return static_cast<std::int64_t>(depths.size()); }
  [[nodiscard]] std::int64_t width(std::int64_t stage) const { return embed << stage; }
  [[nodiscard]] std::int64_t frame_width() const { return width(stages() - 1); }  // C
  // Most frames T that an input may have.
  [[nodiscard]] std::int64_t frame_limit() const { return spec_side * (spec_side / mel_bins); }
};

// Format errors name the file and the key.
[[nodiscard]] ClapConfig parse_clap_config(const common::Json& config, const std::string& name);
[[nodiscard]] common::Json format_clap_config(const ClapConfig& config);
void check(const ClapConfig& config, const std::string& name);

}  // namespace trainer
