#include "trainer/model/attention.hpp"

#include <torch/version.h>

namespace trainer {
namespace {

// Heads that share their keys become further queries of one head: [B,A,Q,E] -> [B,G,A/G * Q,E].
torch::Tensor grouped(const torch::Tensor& x, const torch::Tensor& keys) {
  if (x.size(1) == keys.size(1)) return x;
  return x.reshape({x.size(0), keys.size(1), -1, x.size(3)});
}

torch::Tensor transposed(const torch::Tensor& x) { return x.transpose(-1, -2); }

torch::Tensor before(const torch::Tensor& x, std::int64_t prefix) { return x.slice(-1, 0, prefix); }
torch::Tensor behind(const torch::Tensor& x, std::int64_t prefix) { return x.slice(-1, prefix); }

}  // namespace

Attended attend_parts(const torch::Tensor& query, const KeyValues& prefix, const KeyValues& own,
                      const torch::Tensor& bias, double scale) {
  const torch::Tensor scaled = grouped(query * scale, own.keys);
  torch::Tensor scores = product(scaled, transposed(own.keys)).to(torch::kFloat32);
  if (bias.defined()) {
    const std::int64_t repeats = query.size(1) / own.keys.size(1);
    scores = scores + (repeats > 1 ? bias.repeat({1, 1, repeats, 1}) : bias);
  }
  const std::int64_t length = prefix.keys.defined() ? prefix.keys.size(2) : 0;
  if (length > 0)
    scores = at::cat({product(scaled, transposed(prefix.keys)).to(torch::kFloat32), scores}, -1);
  Attended attended;
  attended.probabilities = at::softmax(scores, -1);
  const torch::Tensor weights = attended.probabilities.to(query.scalar_type());
  torch::Tensor mixed = product(behind(weights, length), own.values);
  if (length > 0) mixed = mixed + product(before(weights, length), prefix.values);
  attended.mixed = mixed.reshape(query.sizes());
  return attended;
}

AttentionGradient attention_gradient(const torch::Tensor& mixed_gradient, const torch::Tensor& probabilities,
                                     const torch::Tensor& query, const KeyValues& prefix,
                                     const KeyValues& own, double scale) {
  const std::int64_t length = prefix.keys.defined() ? prefix.keys.size(2) : 0;
  const torch::Tensor mixed = grouped(mixed_gradient, own.keys);
  torch::Tensor of_weights = product(mixed, transposed(own.values)).to(torch::kFloat32);
  if (length > 0)
    of_weights = at::cat({product(mixed, transposed(prefix.values)).to(torch::kFloat32), of_weights}, -1);
  const torch::Tensor of_scores =
      at::_softmax_backward_data(of_weights, probabilities, -1, torch::kFloat32).to(query.scalar_type());
  torch::Tensor of_query = product(behind(of_scores, length), own.keys);
  if (length > 0) of_query = of_query + product(before(of_scores, length), prefix.keys);
  AttentionGradient gradient;
  gradient.query = (of_query * scale).reshape(query.sizes());
  gradient.own.keys = product(transposed(behind(of_scores, length)), grouped(query * scale, own.keys));
  gradient.own.values = product(transposed(behind(probabilities, length)).to(query.scalar_type()), mixed);
  return gradient;
}

torch::Tensor attend_causally(const torch::Tensor& query, const KeyValues& own, double scale) {
#if TORCH_VERSION_MAJOR >= 2
  const std::int64_t repeats = query.size(1) / own.keys.size(1);
  const auto repeated = [&](const torch::Tensor& x) {
    return repeats > 1 ? x.repeat_interleave(repeats, 1) : x;
  };
  // Its scale argument came in 2.1 only; scaling the query is the same on all.
  const double width = static_cast<double>(query.size(-1));
  return at::scaled_dot_product_attention(query * (scale * std::sqrt(width)), repeated(own.keys),
                                          repeated(own.values), {}, 0.0, true);
#else
  const std::int64_t length = query.size(2);
  const torch::Tensor hidden =
      torch::ones({length, length}, query.options().dtype(torch::kBool)).triu(1).view({1, 1, length, length});
  const torch::Tensor bias = torch::zeros(hidden.sizes(), query.options().dtype(torch::kFloat32))
                                 .masked_fill_(hidden, k_masked_score);
  return attend_parts(query, {}, own, bias, scale).mixed;
#endif
}

}  // namespace trainer
