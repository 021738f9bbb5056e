#include "trainer/model/clap.hpp"

#include "common/error.hpp"
#include "trainer/model/activate.hpp"

namespace trainer {

namespace {

constexpr std::uint64_t k_config_limit_bytes = 1 << 20;
constexpr const char* k_config_name = "config.json";
constexpr double k_batch_norm_epsilon = 1e-5;
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

std::string canonical_clap_name(const std::string& name) {
  for (const auto* other : {"text_model.", "text_projection.", "logit_scale"})
    if (name.starts_with(other)) return "";
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
  bn_batches_ = torch::zeros({}, torch::kInt64);
}

void Clap::visit(const WeightVisitor& visitor) {
  const auto& c = config_;
  const std::string model = "audio_model.audio_encoder.";
  visitor(model + "batch_norm.weight", bn_weight_, {c.mel_bins}, Start::ones);
  visitor(model + "batch_norm.bias", bn_bias_, {c.mel_bins}, Start::zeros);
  visitor(model + "batch_norm.running_mean", bn_mean_, {c.mel_bins}, Start::zeros);
  visitor(model + "batch_norm.running_var", bn_variance_, {c.mel_bins}, Start::ones);
  visitor(model + "patch_embed.proj.weight", patch_.weight, {c.embed, 1, c.patch_side, c.patch_side},
          Start::fan_in);
  visitor(model + "patch_embed.proj.bias", patch_.bias, {c.embed}, Start::zeros);
  if (c.patch_norm) visit_norm(visitor, model + "patch_embed.norm", patch_norm_, c.embed);
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
  Clap clap(parse_clap_config(folder.read_json(k_config_name, k_config_limit_bytes),
                              folder.path_of(k_config_name).string()),
            placement);
  const auto visit = [&](const WeightVisitor& visitor) { clap.visit(visitor); };
  clap.unused_ = load_weights(visit, SafetensorsFolder(folder), canonical_clap_name, placement);
  // A count of training batches: stored by batch norm, of no use here.
  std::erase(clap.unused_, "audio_model.audio_encoder.batch_norm.num_batches_tracked");
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
  tensors.emplace("audio_model.audio_encoder.batch_norm.num_batches_tracked", bn_batches_);
  const std::string config = common::dump_pretty(format_clap_config(config_)) + "\n";
  return {{"model.safetensors", format_safetensors({tensors, {{"format", "pt"}}})},
          {k_config_name, {config.begin(), config.end()}}};
}

NamedTensors Clap::parameters() {
  return weights_by_name([&](const WeightVisitor& visitor) { visit(visitor); });
}

// log_mel [B,1,T,F] -> [B,1,S,S]: normalised per bin, stretched to frame_limit(), cut into S/F pieces of time
// that are stacked along frequency.
torch::Tensor Clap::fold(const torch::Tensor& log_mel) const {
  const auto rows = log_mel.size(0), bins = config_.mel_bins, pieces = config_.spec_side / bins;
  const auto wide = [](const torch::Tensor& x) { return x.to(torch::kFloat32); };
  auto x =
      at::batch_norm(wide(log_mel).to(placement_.device).transpose(1, 3), wide(bn_weight_), wide(bn_bias_),
                     wide(bn_mean_), wide(bn_variance_), false, 0, k_batch_norm_epsilon, false)
          .transpose(1, 3);
  if (x.size(2) < config_.frame_limit()) x = at::upsample_bicubic2d(x, {config_.frame_limit(), bins}, true);
  return x.reshape({rows, pieces, config_.frame_limit() / pieces, bins})
      .transpose(2, 3)
      .reshape({rows, 1, config_.spec_side, config_.spec_side})
      .to(placement_.dtype);
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

ClapOutput Clap::encode(const torch::Tensor& log_mel) const {
  ENSURE(log_mel.dim() == 4 && log_mel.size(1) == 1 && log_mel.size(3) == config_.mel_bins &&
         log_mel.size(2) <= config_.frame_limit());
  const auto padding = (config_.patch_side - config_.patch_stride) / 2;
  auto x = at::conv2d(fold(log_mel), patch_.weight, patch_.bias, config_.patch_stride, padding)
               .flatten(2)
               .transpose(1, 2);  // [B, side², embed]
  if (config_.patch_norm) x = patch_norm_(x);
  for (std::size_t s = 0; s < stages_.size(); ++s) {
    const auto& stage = stages_[s];
    for (std::size_t b = 0; b < stage.blocks.size(); ++b) {
      const auto shift = b % 2 == 1 && stage.shift_bias.defined() ? config_.window / 2 : 0;
      x = run_block(stage.blocks[b], stage, config_.heads[s], shift, x);
    }
    if (s + 1 < stages_.size()) x = merge(stage, x);
  }
  const auto frames = final_norm_(x);
  const auto hidden = activate(config_.projection_activation, projection_1_(frames.mean(1)));
  const auto pooled = projection_2_(hidden);
  return {pooled, pooled / pooled.norm(2, -1, true), frames};
}

}  // namespace trainer
