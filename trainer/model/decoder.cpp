#include "trainer/model/decoder.hpp"

#include "common/error.hpp"
#include "trainer/model/kernels.hpp"

namespace trainer {

torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double epsilon) {
  const auto wide = x.to(torch::kFloat32);
  const auto normed = (wide * (wide * wide).mean(-1, true).add(epsilon).rsqrt()).to(x.scalar_type());
  return weight.defined() ? normed * weight : normed;
}

std::int64_t KvCache::length() const {
  return keys.empty() || !keys.back().defined() ? 0 : keys.back().size(2);
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

DecoderContext Decoder::context(const torch::Tensor& valid, std::int64_t past,
                                std::shared_ptr<const KvCache> prefix) const {
  ENSURE(valid.dim() == 2 && valid.scalar_type() == torch::kBool && past < valid.size(1));
  const bool padded = !valid.all().item<bool>();
  const auto rows = padded ? valid : valid.slice(0, 0, 1);
  const std::int64_t before = prefix ? prefix->length() : 0;
  auto context = rotary((rows.cumsum(1) - 1).clamp_min(0).slice(1, past) + before);
  context.bias = attention_bias(valid, past, padded);
  context.prefix = std::move(prefix);
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
  DecoderContext context;
  context.cosine = at::cat({cosine, cosine}, -1).to(dtype);
  context.sine = at::cat({-sine, sine}, -1).to(dtype);
  return context;
}

double Decoder::score_scale() const { return 1 / std::sqrt(static_cast<double>(config_.head_width)); }

Decoder::Turned Decoder::turn(const Layer& layer, const torch::Tensor& x,
                              const DecoderContext& context) const {
  const auto rows = x.size(0), length = x.size(1), width = config_.head_width;
  const auto query = layer.query(x).view({rows, length, config_.heads, width});
  const auto key = layer.key(x).view({rows, length, config_.kv_heads, width});
  // Queries and keys turn together: half the operations. The roll is rotate_half, whose sign is in `sine`.
  const auto both = at::cat({query, key}, 2);
  const auto turned =
      at::addcmul(both * context.cosine, both.roll(width / 2, -1), context.sine).transpose(1, 2);
  return {turned.slice(1, 0, config_.heads),
          {turned.slice(1, config_.heads),
           layer.value(x).view({rows, length, config_.kv_heads, width}).transpose(1, 2)}};
}

namespace {

KeyValues prefix_of(const DecoderContext& context, std::size_t index) {
  if (!context.prefix) return {};
  return {context.prefix->keys[index], context.prefix->values[index]};
}

// Behind what the cache holds already.
void append(KvCache& cache, std::size_t index, std::size_t layers, KeyValues& own) {
  cache.keys.resize(layers);
  cache.values.resize(layers);
  if (cache.keys[index].defined())
    own = {at::cat({cache.keys[index], own.keys}, 2), at::cat({cache.values[index], own.values}, 2)};
  cache.keys[index] = own.keys;
  cache.values[index] = own.values;
}

// [B, heads, L, E] -> [B, L, heads * E]
torch::Tensor joined(const torch::Tensor& x) {
  return x.transpose(1, 2).reshape({x.size(0), x.size(2), x.size(1) * x.size(3)});
}

// [B, L, n] -> [N, n]
torch::Tensor picked(const torch::Tensor& x, const torch::Tensor& wanted) {
  return x.reshape({-1, x.size(-1)}).index_select(0, wanted);
}

// [N, n] -> [B, L, n], zero elsewhere.
torch::Tensor put_back(const torch::Tensor& x, const torch::Tensor& wanted, std::int64_t rows,
                       std::int64_t length) {
  return torch::zeros({rows * length, x.size(-1)}, x.options())
      .index_copy_(0, wanted, x)
      .view({rows, length, x.size(-1)});
}

// Inside a layer. Not before the output weights: there SAFE may have a graph where its base has none, and
// both must give the same bits.
torch::Tensor norm_inside(const torch::Tensor& x, const torch::Tensor& weight, double epsilon) {
  return suits_kernels(x, weight) ? rms_norm_in_one(x, weight, epsilon) : rms_norm(x, weight, epsilon);
}

// The gradient of x from that of norm_inside(x, weight, epsilon).
torch::Tensor rms_norm_gradient(const torch::Tensor& of_normed, const torch::Tensor& x,
                                const torch::Tensor& weight, double epsilon) {
  if (suits_kernels(x, weight) && of_normed.is_contiguous())
    return rms_norm_gradient_in_one(of_normed, x, weight, epsilon);
  const auto wide = x.to(torch::kFloat32);
  const auto scale = (wide * wide).mean(-1, true).add_(epsilon).rsqrt_();
  auto gradient = (of_normed * weight).to(torch::kFloat32);
  const auto along = (gradient * wide).mean(-1, true).mul_(scale).mul_(scale);
  return gradient.sub_(wide * along).mul_(scale).to(x.scalar_type());
}

}  // namespace

torch::Tensor Decoder::run_layer(std::int64_t index, const torch::Tensor& hidden,
                                 const DecoderContext& context, KvCache* cache, LayerTrace* trace) const {
  const auto at = static_cast<std::size_t>(index);
  const auto& layer = layers_[at];
  Turned turned = turn(layer, norm_inside(hidden, layer.norm_before, config_.norm_epsilon), context);
  if (cache != nullptr) append(*cache, at, layers_.size(), turned.own);
  Attended attended;
  if (context.causal_only && !torch::GradMode::is_enabled())
    attended.mixed = attend_causally(turned.query, turned.own, score_scale());
  else
    attended = attend_parts(turned.query, prefix_of(context, at), turned.own, context.bias, score_scale());
  const auto mixed = joined(attended.mixed);
  const auto middle = gives_some(index, context)
                          ? picked(hidden, context.wanted) + layer.out(picked(mixed, context.wanted))
                          : hidden + layer.out(mixed);
  const auto x = norm_inside(middle, layer.norm_after, config_.norm_epsilon);
  const auto gate = layer.gate(x), up = layer.up(x);
  if (trace != nullptr) *trace = {hidden, turned.query, turned.own, attended.probabilities, middle, gate, up};
  return middle + layer.down(at::silu(gate) * up);
}

torch::Tensor Decoder::run_traced(std::int64_t index, const torch::Tensor& hidden,
                                  const DecoderContext& context, LayerTrace& trace) const {
  return run_layer(index, hidden, context, nullptr, &trace);
}

torch::Tensor Decoder::gradient(std::int64_t index, const LayerTrace& trace, const DecoderContext& context,
                                const torch::Tensor& of_output) const {
  const auto at = static_cast<std::size_t>(index);
  const auto& layer = layers_[at];
  const auto rows = trace.input.size(0), length = trace.input.size(1), width = config_.head_width;
  // The two halves of the layer, each beside the residual that goes on.
  const auto of_mlp = layer.down.gradient(of_output);
  const auto of_gate = at::silu_backward(of_mlp * trace.up, trace.gate);
  const auto of_x = layer.gate.gradient(of_gate) + layer.up.gradient(of_mlp * at::silu(trace.gate));
  auto of_middle = of_output + rms_norm_gradient(of_x, trace.middle, layer.norm_after, config_.norm_epsilon);
  auto of_joined = layer.out.gradient(of_middle);
  if (gives_some(index, context)) {
    of_middle = put_back(of_middle, context.wanted, rows, length);
    of_joined = put_back(of_joined, context.wanted, rows, length);
  }
  const auto of_mixed = of_joined.view({rows, length, config_.heads, width}).transpose(1, 2);
  const AttentionGradient attention = attention_gradient(of_mixed, trace.probabilities, trace.query,
                                                         prefix_of(context, at), trace.own, score_scale());
  // Turned back: the inverse of a rotation is the one by the negative angle.
  const auto turned = at::cat({attention.query, attention.own.keys}, 1).transpose(1, 2);
  const auto both = at::addcmul(turned * context.cosine, turned.roll(width / 2, -1), context.sine, -1);
  const auto flat = [&](const torch::Tensor& x) { return x.reshape({rows, length, -1}); };
  const auto of_normed = layer.query.gradient(flat(both.slice(2, 0, config_.heads))) +
                         layer.key.gradient(flat(both.slice(2, config_.heads))) +
                         layer.value.gradient(joined(attention.own.values));
  return of_middle + rms_norm_gradient(of_normed, trace.input, layer.norm_before, config_.norm_epsilon);
}

KvCache Decoder::run_prefix(const torch::Tensor& states, std::int64_t first, const LayerHook& hook) const {
  const torch::NoGradGuard frozen;
  const auto rows = states.size(0), length = states.size(1), last = config_.layers - 1;
  ENSURE(0 <= first && first <= last);
  const auto here = torch::TensorOptions(torch::kBool).device(states.device());
  DecoderContext alone = context(torch::ones({rows, length}, here));
  alone.causal_only = true;
  KvCache cache;
  const auto hidden = run_layers(states, first, last, alone, hook, &cache);
  const auto& layer = layers_.back();
  cache.keys.resize(layers_.size());
  cache.values.resize(layers_.size());
  const Turned turned = turn(layer, norm_inside(hidden, layer.norm_before, config_.norm_epsilon), alone);
  cache.keys.back() = turned.own.keys;
  cache.values.back() = turned.own.values;
  return cache;
}

std::uint64_t Decoder::prefix_bytes(std::int64_t first, std::int64_t positions) const {
  return static_cast<std::uint64_t>(2 * (config_.layers - first) * config_.kv_heads * positions *
                                    config_.head_width) *
         embed_tokens_.element_size();
}

torch::Tensor Decoder::run_layers(torch::Tensor hidden, std::int64_t first, std::int64_t last,
                                  const DecoderContext& context, const LayerHook& hook,
                                  KvCache* cache) const {
  ENSURE(0 <= first && first <= last && last <= config_.layers);
  for (std::int64_t index = first; index < last; ++index) {
    hidden = run_layer(index, hidden, context, cache, nullptr);
    if (hook) hidden = hook(index, hidden);
  }
  return hidden;
}

torch::Tensor Decoder::logits(const torch::Tensor& hidden) const {
  const auto& weight = config_.tied_embeddings ? embed_tokens_ : lm_head_;
  return linear_map(rms_norm(hidden, norm_, config_.norm_epsilon), weight, {}).to(torch::kFloat32);
}

}  // namespace trainer
