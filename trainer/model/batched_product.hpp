// Products of many small matrices.
#pragma once

#include "trainer/model/tensor.hpp"

namespace trainer {

// a [.., M, K] times b [.., K, N], whose axes before the last two are the same -> [.., M, N]: the bits of
// at::matmul, and of its gradients. A LibTorch without MKL (Debian's) multiplies such matrices one by one and
// makes several tensors of each; for those of a tiny base that takes as long as the products. Here each goes
// straight to the BLAS.
[[nodiscard]] torch::Tensor batched_product(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace trainer
