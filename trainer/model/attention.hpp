// Attention over keys in two parts: those of a prefix, which are the same for whoever stands behind it and
// are never copied, and the queries' own. The gradient is written out, because what autograd would keep for
// it is several times what is needed.
//
// Axes: B rows, A heads, G heads of the keys (A is a multiple of G), Q queries, P positions of the prefix, K
// own keys, E width of a head.
#pragma once

#include "trainer/model/compat.hpp"

namespace trainer {

struct KeyValues {
  torch::Tensor keys, values;  // [B, G, n, E], or both undefined
};

struct Attended {
  torch::Tensor mixed;          // [B, A, Q, E]
  torch::Tensor probabilities;  // [B, G, A/G * Q, P + K], fp32
};

// softmax(query keysᵀ scale + bias) values, softmax in fp32. query [B,A,Q,E]; bias [B|1, 1, Q, K] is of the
// own keys, all of the prefix is seen; undefined: everything is.
[[nodiscard]] Attended attend_parts(const torch::Tensor& query, const KeyValues& prefix, const KeyValues& own,
                                    const torch::Tensor& bias, double scale);

struct AttentionGradient {
  torch::Tensor query;  // [B, A, Q, E]
  KeyValues own;
};
// From the gradient of `mixed`, with what attend_parts was given and gave.
[[nodiscard]] AttentionGradient attention_gradient(const torch::Tensor& mixed_gradient,
                                                   const torch::Tensor& probabilities,
                                                   const torch::Tensor& query, const KeyValues& prefix,
                                                   const KeyValues& own, double scale);

// Every position sees itself and what stands before it; for inference. query [B,A,L,E], keys and values
// [B,G,L,E]. By LibTorch's own kernel where there is one (2.x), which never holds the scores of all pairs.
[[nodiscard]] torch::Tensor attend_causally(const torch::Tensor& query, const KeyValues& own, double scale);

}  // namespace trainer
