#include "trainer/model/decoder.hpp"

#include "common/error.hpp"

namespace trainer {

torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double epsilon) {
  const auto wide = x.to(torch::kFloat32);
  const auto normed = (wide * (wide * wide).mean(-1, true).add(epsilon).rsqrt()).to(x.scalar_type());
  return weight.defined() ? normed * weight : normed;
}

Decoder::Decoder(const DecoderConfig& config)
    : config_(config), layers_(static_cast<std::size_t>(config.layers)) {}

void Decoder::visit(const WeightVisitor& visitor) {
  const auto& c = config_;
  const std::string model = "language_model.model.";
  visitor(model + "embed_tokens.weight", embed_tokens_, {c.vocabulary, c.hidden}, Start::embedding);
  const auto attention = c.attention_bias ? Bias::present : Bias::none;
  const auto mlp = c.mlp_bias ? Bias::present : Bias::none;
  const auto q_width = c.heads * c.head_width, kv_width = c.kv_heads * c.head_width;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    auto& layer = layers_[i];
    const auto name = model + "layers." + std::to_string(i) + ".";
    visitor(name + "input_layernorm.weight", layer.norm_before, {c.hidden}, Start::ones);
    visitor(name + "post_attention_layernorm.weight", layer.norm_after, {c.hidden}, Start::ones);
    visit_linear(visitor, name + "self_attn.q_proj", layer.query, c.hidden, q_width, attention);
    visit_linear(visitor, name + "self_attn.k_proj", layer.key, c.hidden, kv_width, attention);
    visit_linear(visitor, name + "self_attn.v_proj", layer.value, c.hidden, kv_width, attention);
    visit_linear(visitor, name + "self_attn.o_proj", layer.out, q_width, c.hidden, attention);
    visit_linear(visitor, name + "mlp.gate_proj", layer.gate, c.hidden, c.intermediate, mlp);
    visit_linear(visitor, name + "mlp.up_proj", layer.up, c.hidden, c.intermediate, mlp);
    visit_linear(visitor, name + "mlp.down_proj", layer.down, c.intermediate, c.hidden, mlp);
  }
  visitor(model + "norm.weight", norm_, {c.hidden}, Start::ones);
  if (!c.tied_embeddings)
    visitor("language_model.lm_head.weight", lm_head_, {c.vocabulary, c.hidden}, Start::embedding);
}

torch::Tensor Decoder::embed(const torch::Tensor& ids) const { return at::embedding(embed_tokens_, ids); }

namespace {

// [B|1, 1, L, K], or undefined where nothing is hidden from anyone.
torch::Tensor attention_bias(const torch::Tensor& valid, std::int64_t past, bool padded) {
  const auto keys = valid.size(1), queries = keys - past;
  if (!padded && queries == 1) return {};
  const auto index = torch::arange(keys, valid.device());
  const auto query = index.slice(0, past).unsqueeze(1);  // [L, 1]
  auto allowed = (index <= query).unsqueeze(0);          // [1, L, K]
  // Padding sees itself, so that no row is without a key and none becomes NaN.
  if (padded) allowed = allowed & (valid.unsqueeze(1) | (index == query).unsqueeze(0));
  auto bias = torch::zeros(allowed.sizes(), valid.options().dtype(torch::kFloat32));
  return bias.masked_fill_(~allowed, k_masked_score).unsqueeze(1);
}

}  // namespace

DecoderContext Decoder::context(const torch::Tensor& valid, std::int64_t past) const {
  ENSURE(valid.dim() == 2 && valid.scalar_type() == torch::kBool && past < valid.size(1));
  const bool padded = !valid.all().item<bool>();
  const auto rows = padded ? valid : valid.slice(0, 0, 1);
  auto context = rotary((rows.cumsum(1) - 1).clamp_min(0).slice(1, past));
  context.bias = attention_bias(valid, past, padded);
  return context;
}

DecoderContext Decoder::branched_context(const torch::Tensor& branch, const torch::Tensor& position) const {
  const auto own = branch.unsqueeze(2), other = branch.unsqueeze(1);  // [B,L,1], [B,1,L]
  const auto order = torch::arange(branch.size(1), branch.options());
  const auto earlier = order.unsqueeze(0).le(order.unsqueeze(1)).unsqueeze(0);  // [1,L,L]
  const auto seen = earlier.logical_and(other.eq(0).logical_or(other.eq(own)));
  auto context = rotary(position);
  context.bias = torch::zeros(seen.sizes(), branch.options().dtype(torch::kFloat32))
                     .masked_fill_(seen.logical_not(), k_masked_score)
                     .unsqueeze(1);
  return context;
}

DecoderContext Decoder::rotary(const torch::Tensor& position) const {
  const auto half = config_.head_width / 2;
  const auto exponent = torch::arange(half, position.options().dtype(torch::kFloat32)) *
                        (2.0 / static_cast<double>(config_.head_width));
  const auto frequency = at::pow(config_.rope_theta, exponent).reciprocal() / config_.rope_scale;  // [E/2]
  const auto angle = (position.unsqueeze(-1).to(torch::kFloat32) * frequency).unsqueeze(2);  // [B|1,L,1,E/2]
  const auto sine = angle.sin(), cosine = angle.cos();
  const auto dtype = embed_tokens_.scalar_type();
  return {{}, at::cat({cosine, cosine}, -1).to(dtype), at::cat({-sine, sine}, -1).to(dtype)};
}

torch::Tensor Decoder::attend_layer(std::int64_t index, const torch::Tensor& x, const DecoderContext& context,
                                    KvCache* cache) const {
  const auto& layer = layers_[static_cast<std::size_t>(index)];
  const auto rows = x.size(0), length = x.size(1), width = config_.head_width;
  const auto query = layer.query(x).view({rows, length, config_.heads, width});
  const auto key = layer.key(x).view({rows, length, config_.kv_heads, width});
  // Queries and keys turn together: half the operations. The roll is rotate_half, whose sign is in `sine`.
  const auto both = at::cat({query, key}, 2);
  const auto turned =
      at::addcmul(both * context.cosine, both.roll(width / 2, -1), context.sine).transpose(1, 2);
  auto keys = turned.slice(1, config_.heads);  // [B, kv, L, E]
  auto values = layer.value(x).view({rows, length, config_.kv_heads, width}).transpose(1, 2);
  if (cache != nullptr) {
    const auto at = static_cast<std::size_t>(index);
    cache->keys.resize(layers_.size());
    cache->values.resize(layers_.size());
    if (cache->keys[at].defined()) {
      keys = at::cat({cache->keys[at], keys}, 2);
      values = at::cat({cache->values[at], values}, 2);
    }
    cache->keys[at] = keys;
    cache->values[at] = values;
  }
  const auto repeats = config_.heads / config_.kv_heads;
  if (repeats > 1) {
    keys = keys.repeat_interleave(repeats, 1);
    values = values.repeat_interleave(repeats, 1);
  }
  const double scale = 1 / std::sqrt(static_cast<double>(width));
  const auto mixed = attend(turned.slice(1, 0, config_.heads), keys, values, context.bias, scale);
  return layer.out(mixed.transpose(1, 2).reshape({rows, length, config_.heads * width}));
}

torch::Tensor Decoder::run_layer(std::int64_t index, const torch::Tensor& hidden,
                                 const DecoderContext& context, KvCache* cache) const {
  const auto& layer = layers_[static_cast<std::size_t>(index)];
  const auto middle =
      hidden + attend_layer(index, rms_norm(hidden, layer.norm_before, config_.norm_epsilon), context, cache);
  const auto x = rms_norm(middle, layer.norm_after, config_.norm_epsilon);
  return middle + layer.down(at::silu(layer.gate(x)) * layer.up(x));
}

torch::Tensor Decoder::run_layers(torch::Tensor hidden, std::int64_t first, std::int64_t last,
                                  const DecoderContext& context, const LayerHook& hook,
                                  KvCache* cache) const {
  ENSURE(0 <= first && first <= last && last <= config_.layers);
  for (std::int64_t index = first; index < last; ++index) {
    hidden = run_layer(index, hidden, context, cache);
    if (hook) hidden = hook(index, hidden);
  }
  return hidden;
}

torch::Tensor Decoder::logits(const torch::Tensor& hidden) const {
  const auto& weight = config_.tied_embeddings ? embed_tokens_ : lm_head_;
  return at::linear(rms_norm(hidden, norm_, config_.norm_epsilon), weight).to(torch::kFloat32);
}

}  // namespace trainer
