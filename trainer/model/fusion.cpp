#include "trainer/model/fusion.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "common/error.hpp"
#include "trainer/model/compat.hpp"

namespace trainer {
namespace {
constexpr double k_epsilon = 1e-6;

// The rows that hear at all: a gate of 0 leaves the row out, so that its bits stay.
AudioInput heard(const AudioInput& audio) {
  if (std::all_of(audio.gates.begin(), audio.gates.end(), [](double gate) { return gate != 0; }))
    return audio;
  AudioInput kept;
  std::vector<std::int64_t> picks;
  for (std::size_t i = 0; i < audio.rows.size(); ++i) {
    if (audio.gates[i] == 0) continue;
    picks.push_back(static_cast<std::int64_t>(i));
    kept.rows.push_back(audio.rows[i]);
    kept.gates.push_back(audio.gates[i]);
  }
  if (!picks.empty()) kept.tokens = pick_rows(audio.tokens, picks);
  return kept;
}

}  // namespace

torch::Tensor rms_normed(const torch::Tensor& hidden) {
  return hidden * torch::rsqrt(hidden.pow(2).mean(-1, true) + k_epsilon);
}

FusionBlock::FusionBlock(const FusionConfig& config, std::int64_t layer, std::int64_t seed)
    : name_("fusion.layers." + std::to_string(layer)), heads_(config.heads) {
  if (config.width % config.heads != 0)
    throw common::Error(common::ErrorKind::usage, "the fusion adapter's " + std::to_string(config.heads) +
                                                      " heads do not divide the width " +
                                                      std::to_string(config.width) +
                                                      "; choose another --model-config");
  at::Generator generator = make_generator(seed, name_);
  const double deviation = 1.0 / std::sqrt(static_cast<double>(config.width));
  const std::int64_t width = config.width;
  if (config.rank == 0) {
    query_ = AdapterLinear::full(width, width, deviation, generator);
    key_ = AdapterLinear::full(width, width, deviation, generator);
    value_ = AdapterLinear::full(width, width, deviation, generator);
    output_ = AdapterLinear::full(width, width, 0, generator);
  } else {
    query_ = AdapterLinear::low_rank(width, deviation, config.rank, config.alpha, generator);
    key_ = AdapterLinear::low_rank(width, deviation, config.rank, config.alpha, generator);
    value_ = AdapterLinear::low_rank(width, deviation, config.rank, config.alpha, generator);
    output_ = AdapterLinear::low_rank(width, 0, config.rank, config.alpha, generator);
  }
  gate_ = AdapterLinear::full(width, width, config.gate_scale * deviation, generator);
}

FusionBlock::Inputs FusionBlock::inputs(const torch::Tensor& hidden, const torch::Tensor& tokens) const {
  const std::int64_t rows = hidden.size(0);
  const std::int64_t positions = hidden.size(1);
  const std::int64_t width = hidden.size(2);
  const std::int64_t head_width = width / heads_;
  const auto split = [&](const torch::Tensor& x) {  // [R, n, H] -> [R, heads, n, head_width]
    return x.view({rows, x.size(1), heads_, head_width}).transpose(1, 2);
  };
  const torch::Tensor normed = rms_normed(hidden);
  const torch::Tensor q = split(query_(normed));
  const torch::Tensor k = split(key_(tokens));
  const torch::Tensor v = split(value_(tokens));
  const torch::Tensor scores = product(q, k.transpose(2, 3)) / std::sqrt(static_cast<double>(head_width));
  const torch::Tensor attended = product(torch::softmax(scores, -1), v);  // [R, heads, L, head_width]
  const torch::Tensor joined = attended.transpose(1, 2).reshape({rows, positions, width});
  return {normed, joined * torch::tanh(gate_(normed))};
}

torch::Tensor FusionBlock::delta(const torch::Tensor& hidden, const AudioInput& audio) const {
  const torch::Tensor gates =
      torch::tensor(audio.gates, torch::kFloat32).to(hidden.device()).view({hidden.size(0), 1, 1});
  return output_(inputs(hidden, audio.tokens).gated) * gates;
}

torch::Tensor FusionBlock::fuse(const torch::Tensor& hidden, const AudioInput& all) const {
  const AudioInput audio = heard(all);
  if (audio.rows.empty()) return hidden;
  const bool every_row = static_cast<std::int64_t>(audio.rows.size()) == hidden.size(0);
  const torch::Tensor index = every_row ? torch::Tensor() : index_on(hidden.device(), audio.rows);
  const torch::Tensor some =
      (every_row ? hidden : hidden.index_select(0, index)).to(torch::kFloat32);  // [R, L, H]
  const torch::Tensor mixed = (some + delta(some, audio)).to(hidden.scalar_type());
  return every_row ? mixed : hidden.index_copy(0, index, mixed);
}

template <typename Block>
auto FusionBlock::maps_of(Block& block) {
  return std::array{
      std::pair(block.name_ + ".q_proj", &block.query_), std::pair(block.name_ + ".k_proj", &block.key_),
      std::pair(block.name_ + ".v_proj", &block.value_), std::pair(block.name_ + ".o_proj", &block.output_),
      std::pair(block.name_ + ".gate", &block.gate_)};
}

std::vector<Parameter> FusionBlock::parameters() const {
  std::vector<Parameter> all;
  for (const auto& [name, map] : maps_of(*this)) map->append_parameters(name, ParameterGroup::adapter, all);
  return all;
}

std::map<std::string, torch::Tensor> FusionBlock::frozen() const {
  std::map<std::string, torch::Tensor> all;
  for (const auto& [name, map] : maps_of(*this)) map->append_frozen(name, all);
  return all;
}

void FusionBlock::set_frozen(const std::map<std::string, torch::Tensor>& from) {
  for (const auto& [name, map] : maps_of(*this)) map->set_frozen(name, from);
}

void FusionBlock::move_to(torch::Device device) {
  for (const auto& [name, map] : maps_of(*this)) map->move_to(device);
}

Fusion::Fusion(const FusionConfig& config, std::int64_t seed) : config_(config) {
  ENSURE(!config.layers.empty());
  for (const std::int64_t layer : config.layers) blocks_.emplace(layer, FusionBlock(config, layer, seed));
}

torch::Tensor Fusion::fuse(std::int64_t layer, const torch::Tensor& hidden, const AudioInput& audio) const {
  const auto block = blocks_.find(layer);
  return block == blocks_.end() ? hidden : block->second.fuse(hidden, audio);
}

std::vector<Parameter> Fusion::parameters() const {
  std::vector<Parameter> all;
  for (const auto& [layer, block] : blocks_)
    for (Parameter& parameter : block.parameters()) all.push_back(std::move(parameter));
  return all;
}

void Fusion::move_to(torch::Device device) {
  for (auto& [layer, block] : blocks_) block.move_to(device);
}

std::map<std::string, torch::Tensor> Fusion::frozen() const {
  std::map<std::string, torch::Tensor> all;
  for (const auto& [layer, block] : blocks_) all.merge(block.frozen());
  return all;
}

void Fusion::set_frozen(const std::map<std::string, torch::Tensor>& from) {
  for (auto& [layer, block] : blocks_) block.set_frozen(from);
}

}  // namespace trainer
