// What differs between LibTorch 1.13 and 2.x, and between CPU and CUDA, in one place.
// Axes: B rows, A heads, Q queries, K keys, E width of a head.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/model/tensor.hpp"

namespace trainer {

// Where a frozen model lives, and in what type its weights are kept and its layers run: fp32 or bf16.
struct Placement {
  torch::Dtype dtype = torch::kFloat32;
  torch::Device device = torch::kCPU;
};

// Numbers as an index on `device`: [n] int64.
[[nodiscard]] torch::Tensor index_on(torch::Device device, const std::vector<std::int64_t>& numbers);
// Those rows of `table` [N, ...], wherever it lives -> [n, ...].
[[nodiscard]] torch::Tensor pick_rows(const torch::Tensor& table, const std::vector<std::int64_t>& rows);

// x weightᵀ + bias and a b, in the type of their operands, sums in fp32. LibTorch multiplies bf16 on a CPU
// without instructions for it, or that is not to use them (--arithmetic portable), at least seven times
// slower than fp32: there the operands are widened first and the result is rounded. product has gradients.
[[nodiscard]] torch::Tensor linear_map(const torch::Tensor& x, const torch::Tensor& weight,
                                       const torch::Tensor& bias);
[[nodiscard]] torch::Tensor product(const torch::Tensor& a, const torch::Tensor& b);
// oneDNN has kernels of it, too. approximation: "none" or "tanh".
[[nodiscard]] torch::Tensor gelu(const torch::Tensor& x, const char* approximation);
// A convolution without bias or padding, likewise: pictures [B,C,Y,X], weight [D,C,S,S] -> [B,D,..,..].
[[nodiscard]] torch::Tensor strided_map(const torch::Tensor& pictures, const torch::Tensor& weight,
                                        std::int64_t stride);

// What a masked score gets: its exponential is exactly 0 in fp32, and a row without any key stays finite.
inline constexpr double k_masked_score = -1e30;

// softmax(query keyᵀ scale + bias) value, softmax in fp32. query [B,A,Q,E], key and value [B,A,K,E];
// bias [B|1, A|1, Q, K] or undefined; the result is [B,A,Q,E].
[[nodiscard]] torch::Tensor attend(const torch::Tensor& query, const torch::Tensor& key,
                                   const torch::Tensor& value, const torch::Tensor& bias, double scale);

}  // namespace trainer
