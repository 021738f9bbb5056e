#include "trainer/model/clap.hpp"

#include "common/error.hpp"
#include "trainer/formats/model_form.hpp"
#include "trainer/model/activate.hpp"

namespace trainer {

namespace {

constexpr double k_batch_norm_epsilon = 1e-5;
constexpr const char* k_batch_count = "num_batches_tracked";
// What a score between two regions that only the shift made neighbours gets (Swin transformer, Liu et al.
// 2021).
constexpr double k_shifted_score = -100;

// [w², w²]: which row of the bias table belongs to a pair of tokens of one window.
torch::Tensor relative_index(std::int64_t window) {
  const auto token = torch::arange(window * window);
  const auto row = token.div(window, "floor"), column = token.remainder(window);
  const auto rows = row.unsqueeze(1) - row.unsqueeze(0) + (window - 1);
  const auto columns = column.unsqueeze(1) - column.unsqueeze(0) + (window - 1);
  return rows * (2 * window - 1) + columns;
}

// [windows, w², w²]: k_shifted_score between tokens that lie in different regions of the unshifted image.
torch::Tensor shift_bias(std::int64_t side, std::int64_t window, const Placement& placement) {
  const auto position = torch::arange(side);
  const auto band =
      (position >= side - window).to(torch::kFloat32) + (position >= side - window / 2);  // 0, 1, 2
  const auto region = (band.unsqueeze(1) * 3 + band.unsqueeze(0)).view({1, side, side, 1});
  const auto windows = split_windows(region, window).squeeze(-1);  // [windows, w²]
  const auto apart = windows.unsqueeze(1) != windows.unsqueeze(2);
  return (apart.to(torch::kFloat32) * k_shifted_score).to(placement.device);
}

void visit_batch_norm(const WeightVisitor& visitor, const std::string& name, BatchNorm& norm,
                      std::int64_t channels) {
  visitor(name + ".weight", norm.weight, {channels}, Start::ones);
  visitor(name + ".bias", norm.bias, {channels}, Start::zeros);
  visitor(name + ".running_mean", norm.mean, {channels}, Start::zeros);
  visitor(name + ".running_var", norm.variance, {channels}, Start::ones);
}

// x [B, channels, ...], fp32.
torch::Tensor batch_normed(const BatchNorm& norm, const torch::Tensor& x) {
  const auto wide = [](const torch::Tensor& y) { return y.to(torch::kFloat32); };
  return at::batch_norm(wide(x), wide(norm.weight), wide(norm.bias), wide(norm.mean), wide(norm.variance),
                        false, 0, k_batch_norm_epsilon, false);
}

std::string canonical_clap_name(const std::string& name) {
  for (const auto* other : {"text_model.", "text_projection.", "logit_scale"})
    if (name.starts_with(other)) return "";
  // A count of training batches: stored by batch norm, of no use here.
  if (name.ends_with(k_batch_count)) return "";
  return name.starts_with("audio_encoder.") ? "audio_model." + name : name;
}

}  // namespace

torch::Tensor split_windows(const torch::Tensor& x, std::int64_t window) {
  const auto rows = x.size(0), side = x.size(1), width = x.size(3), count = side / window;
  return x.view({rows, count, window, count, window, width})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({rows * count * count, window * window, width});
}

torch::Tensor join_windows(const torch::Tensor& windows, std::int64_t window, std::int64_t side) {
  const auto count = side / window, width = windows.size(2), rows = windows.size(0) / (count * count);
  return windows.view({rows, count, count, window, window, width})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({rows, side, side, width});
}

Clap::Clap(const ClapConfig& config, const Placement& placement) : config_(config), placement_(placement) {
  auto side = config.spec_side / config.patch_stride;
  for (const auto depth : config.depths) {
    Stage stage;
    stage.side = side;
    if (side > config.window) stage.shift_bias = shift_bias(side, config.window, placement);
    stage.blocks.resize(static_cast<std::size_t>(depth));
    for (auto& block : stage.blocks) {
      block.relative_index = relative_index(config.window).to(placement.device);
      block.norm_before.epsilon = block.norm_after.epsilon = config.norm_epsilon;
    }
    stages_.push_back(std::move(stage));
    side /= 2;
  }
}

void Clap::visit(const WeightVisitor& visitor) {
  const auto& c = config_;
  const std::string model = "audio_model.audio_encoder.";
  visit_batch_norm(visitor, model + "batch_norm", norm_, c.mel_bins);
  visitor(model + "patch_embed.proj.weight", patch_.weight, {c.embed, 1, c.patch_side, c.patch_side},
          Start::fan_in);
  visitor(model + "patch_embed.proj.bias", patch_.bias, {c.embed}, Start::zeros);
  if (c.patch_norm) visit_norm(visitor, model + "patch_embed.norm", patch_norm_, c.embed);
  if (c.fusion) visit_fusion(visitor, model + "patch_embed.");
  for (std::size_t s = 0; s < stages_.size(); ++s) {
    const auto name = model + "layers." + std::to_string(s) + ".";
    const auto width = c.width(static_cast<std::int64_t>(s));
    for (std::size_t b = 0; b < stages_[s].blocks.size(); ++b)
      visit_block(visitor, name + "blocks." + std::to_string(b) + ".", stages_[s].blocks[b], width,
                  c.heads[s]);
    if (s + 1 == stages_.size()) break;
    visit_norm(visitor, name + "downsample.norm", stages_[s].merge_norm, 4 * width);
    visit_linear(visitor, name + "downsample.reduction", stages_[s].merge, 4 * width, 2 * width, Bias::none);
  }
  visit_norm(visitor, model + "norm", final_norm_, c.frame_width());
  visit_linear(visitor, "audio_projection.linear1", projection_1_, c.frame_width(), c.projection,
               Bias::present);
  visit_linear(visitor, "audio_projection.linear2", projection_2_, c.projection, c.projection, Bias::present);
}

void Clap::visit_fusion(const WeightVisitor& visitor, const std::string& name) {
  visitor(name + "mel_conv2d.weight", piece_patch_.weight,
          {config_.embed, 1, config_.patch_side, 3 * config_.patch_side}, Start::fan_in);
  visitor(name + "mel_conv2d.bias", piece_patch_.bias, {config_.embed}, Start::zeros);
  // Numbers of torch's Sequential, in which the global half begins with the pooling.
  visit_squeeze(visitor, name + "fusion_model.local_att.", local_, 0);
  visit_squeeze(visitor, name + "fusion_model.global_att.", global_, 1);
}

void Clap::visit_squeeze(const WeightVisitor& visitor, const std::string& name, Squeeze& squeeze,
                         std::int64_t first) {
  const auto wide = config_.embed, narrow = config_.embed / config_.fusion_reduction;
  const auto at = [&](std::int64_t part) { return name + std::to_string(first + part); };
  visitor(at(0) + ".weight", squeeze.narrow.weight, {narrow, wide, 1, 1}, Start::fan_in);
  visitor(at(0) + ".bias", squeeze.narrow.bias, {narrow}, Start::zeros);
  visit_batch_norm(visitor, at(1), squeeze.narrow_norm, narrow);
  visitor(at(3) + ".weight", squeeze.widen.weight, {wide, narrow, 1, 1}, Start::fan_in);
  visitor(at(3) + ".bias", squeeze.widen.bias, {wide}, Start::zeros);
  visit_batch_norm(visitor, at(4), squeeze.widen_norm, wide);
}

void Clap::visit_block(const WeightVisitor& visitor, const std::string& name, Block& block,
                       std::int64_t width, std::int64_t heads) {
  const auto w = config_.window;
  const auto inner = static_cast<std::int64_t>(config_.mlp_ratio * static_cast<double>(width));
  const auto qkv = config_.qkv_bias ? Bias::present : Bias::none;
  visit_norm(visitor, name + "layernorm_before", block.norm_before, width);
  visit_norm(visitor, name + "layernorm_after", block.norm_after, width);
  visitor(name + "attention.self.relative_position_bias_table", block.bias_table,
          {(2 * w - 1) * (2 * w - 1), heads}, Start::embedding);
  visitor(name + "attention.self.relative_position_index", block.relative_index, {w * w, w * w},
          Start::index);
  visit_linear(visitor, name + "attention.self.query", block.query, width, width, qkv);
  visit_linear(visitor, name + "attention.self.key", block.key, width, width, qkv);
  visit_linear(visitor, name + "attention.self.value", block.value, width, width, qkv);
  visit_linear(visitor, name + "attention.output.dense", block.out, width, width, Bias::present);
  visit_linear(visitor, name + "intermediate.dense", block.fc1, width, inner, Bias::present);
  visit_linear(visitor, name + "output.dense", block.fc2, inner, width, Bias::present);
}

Clap Clap::load(const ModelFolder& folder, const Placement& placement) {
  Clap clap(parse_clap_config(read_model_config(folder), folder.path_of(k_model_config_name).string()),
            placement);
  const auto visit = [&](const WeightVisitor& visitor) { clap.visit(visitor); };
  load_weights(visit, SafetensorsFolder(folder), canonical_clap_name, placement);
  return clap;
}

Clap Clap::random(const ClapConfig& config, std::int64_t seed, const Placement& placement) {
  check(config, "the configuration");
  Clap clap(config, placement);
  start_randomly([&](const WeightVisitor& visitor) { clap.visit(visitor); }, seed, placement);
  return clap;
}

ModelFiles Clap::files() {
  auto tensors = parameters();
  for (const auto& [name, tensor] : parameters())
    if (const std::string mean = "running_mean"; name.ends_with(mean))
      tensors.emplace(name.substr(0, name.size() - mean.size()) + k_batch_count,
                      torch::zeros({}, torch::kInt64));
  const std::string config = common::dump_pretty(format_clap_config(config_)) + "\n";
  return {{"model.safetensors", format_safetensors({tensors, {{"format", "pt"}}})},
          {k_model_config_name, {config.begin(), config.end()}}};
}

NamedTensors Clap::parameters() {
  return weights_by_name([&](const WeightVisitor& visitor) { visit(visitor); });
}

// log_mel [B,M,T,F] -> [B,M,S,S]: normalised per bin, stretched to frame_limit(), cut into S/F pieces of time
// that are stacked along frequency.
torch::Tensor Clap::fold(const torch::Tensor& log_mel) const {
  const auto rows = log_mel.size(0), many = log_mel.size(1), bins = config_.mel_bins,
             pieces = config_.spec_side / bins;
  auto x =
      batch_normed(norm_, log_mel.to(torch::kFloat32).to(placement_.device).transpose(1, 3)).transpose(1, 3);
  if (x.size(2) < config_.frame_limit()) x = at::upsample_bicubic2d(x, {config_.frame_limit(), bins}, true);
  return x.reshape({rows, many * pieces, config_.frame_limit() / pieces, bins})
      .transpose(2, 3)
      .reshape({rows, many, config_.spec_side, config_.spec_side})
      .to(placement_.dtype);
}

torch::Tensor Clap::squeeze(const Squeeze& squeeze, const torch::Tensor& x) const {
  const auto narrow =
      batch_normed(squeeze.narrow_norm, at::conv2d(x, squeeze.narrow.weight, squeeze.narrow.bias)).relu();
  return batch_normed(squeeze.widen_norm,
                      at::conv2d(narrow.to(x.scalar_type()), squeeze.widen.weight, squeeze.widen.bias));
}

// With fusion the three pieces' patches, three frames' worth wide, lie side by side under those of the whole,
// and attention between both weighs one against the other (iAFF, Dai et al. 2021).
torch::Tensor Clap::embed_patches(const torch::Tensor& folded) const {
  const auto stride = config_.patch_stride, padding = (config_.patch_side - stride) / 2;
  const auto whole = at::conv2d(folded.slice(1, 0, 1), patch_.weight, patch_.bias, stride, padding);
  if (!config_.fusion) return whole;
  const auto rows = folded.size(0), side = folded.size(2);
  auto pieces = at::conv2d(folded.slice(1, 1).reshape({rows * 3, 1, side, side}), piece_patch_.weight,
                           piece_patch_.bias, {stride, 3 * stride}, padding);  // [3B, embed, side, narrow]
  pieces = pieces.view({rows, 3, pieces.size(1), pieces.size(2), pieces.size(3)})
               .permute({0, 2, 3, 1, 4})
               .flatten(3);
  pieces = at::constant_pad_nd(pieces, {0, whole.size(3) - pieces.size(3)});
  const auto sum = whole + pieces;
  const auto weight =
      at::sigmoid(squeeze(local_, sum) + squeeze(global_, sum.mean({2, 3}, true))).to(whole.scalar_type());
  return 2 * whole * weight + 2 * pieces * (1 - weight);
}

torch::Tensor Clap::attend_windows(const Block& block, std::int64_t heads, const torch::Tensor& windows,
                                   const torch::Tensor& shift_bias) const {
  const auto count = windows.size(0), tokens = windows.size(1), width = windows.size(2);
  const auto head_width = width / heads;
  const auto split = [&](const torch::Tensor& y) {
    return y.view({count, tokens, heads, head_width}).transpose(1, 2);
  };
  auto bias = block.bias_table.index_select(0, block.relative_index.view({-1}))
                  .view({tokens, tokens, heads})
                  .permute({2, 0, 1})
                  .unsqueeze(0)
                  .to(torch::kFloat32);  // [1, heads, w², w²]
  if (shift_bias.defined()) {
    const auto per_clip = shift_bias.size(0);
    bias = (bias + shift_bias.unsqueeze(1)).repeat({count / per_clip, 1, 1, 1});  // [count, heads, w², w²]
  }
  const double scale = 1 / std::sqrt(static_cast<double>(head_width));
  const auto mixed = attend(split(block.query(windows)), split(block.key(windows)),
                            split(block.value(windows)), bias, scale);
  return block.out(mixed.transpose(1, 2).reshape({count, tokens, width}));
}

torch::Tensor Clap::run_block(const Block& block, const Stage& stage, std::int64_t heads, std::int64_t shift,
                              const torch::Tensor& x) const {
  auto image = block.norm_before(x).view({x.size(0), stage.side, stage.side, x.size(2)});
  if (shift > 0) image = image.roll({-shift, -shift}, {1, 2});
  const auto windows = split_windows(image, config_.window);
  const auto mixed = attend_windows(block, heads, windows, shift > 0 ? stage.shift_bias : torch::Tensor());
  auto joined = join_windows(mixed, config_.window, stage.side);
  if (shift > 0) joined = joined.roll({shift, shift}, {1, 2});
  const auto middle = x + joined.view(x.sizes());
  return middle + block.fc2(activate(config_.activation, block.fc1(block.norm_after(middle))));
}

// x [B, side², C] -> [B, side²/4, 2C]
torch::Tensor Clap::merge(const Stage& stage, const torch::Tensor& x) const {
  const auto image = x.view({x.size(0), stage.side, stage.side, x.size(2)});
  const auto part = [&](std::int64_t row, std::int64_t column) {
    return image.slice(1, row, c10::nullopt, 2).slice(2, column, c10::nullopt, 2);
  };
  const auto four = at::cat({part(0, 0), part(1, 0), part(0, 1), part(1, 1)}, -1);
  return stage.merge(stage.merge_norm(four.view({x.size(0), -1, 4 * x.size(2)})));
}

ClapOutput Clap::encode(const torch::Tensor& log_mel, const Tap& tap) const {
  ENSURE(log_mel.dim() == 4 && log_mel.size(1) == (config_.fusion ? 4 : 1) &&
         log_mel.size(3) == config_.mel_bins && log_mel.size(2) <= config_.frame_limit());
  const auto see = [&](const std::string& stage, const torch::Tensor& value) {
    if (tap) tap(stage, value);
  };
  const auto folded = fold(log_mel);
  see("folded", folded);
  auto x = embed_patches(folded).flatten(2).transpose(1, 2);  // [B, side², embed]
  if (config_.patch_norm) x = patch_norm_(x);
  see("patches", x);
  for (std::size_t s = 0; s < stages_.size(); ++s) {
    const auto& stage = stages_[s];
    for (std::size_t b = 0; b < stage.blocks.size(); ++b) {
      const auto shift = b % 2 == 1 && stage.shift_bias.defined() ? config_.window / 2 : 0;
      x = run_block(stage.blocks[b], stage, config_.heads[s], shift, x);
    }
    if (s + 1 < stages_.size()) x = merge(stage, x);
    see("stage " + std::to_string(s), x);
  }
  const auto frames = final_norm_(x);
  see("frames", frames);
  const auto hidden = activate(config_.projection_activation, projection_1_(frames.mean(1)));
  const auto pooled = projection_2_(hidden);
  see("projection", pooled);
  return {pooled, pooled / pooled.norm(2, -1, true), frames};
}

}  // namespace trainer
