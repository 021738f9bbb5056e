// The small steps between a frozen layer's products, each in one pass over memory. As LibTorch's operations a
// small model spends most of its time in them. For contiguous fp32 on a CPU, and without a graph; whoever
// asks looks first. Axes: B rows, L positions, A heads, E width of a head, n width of a row.
#pragma once

#include "trainer/model/tensor.hpp"

namespace trainer {

// Whether the kernels below take them: fp32, on the CPU, contiguous, no gradient wanted.
[[nodiscard]] bool suits_kernels(const torch::Tensor& x, const torch::Tensor& weight);

// x / rms(x) * weight over the last axis, x [..., n], weight [n].
[[nodiscard]] torch::Tensor rms_norm_in_one(const torch::Tensor& x, const torch::Tensor& weight,
                                            double epsilon);
// The gradient of x from that of rms_norm_in_one.
[[nodiscard]] torch::Tensor rms_norm_gradient_in_one(const torch::Tensor& of_normed, const torch::Tensor& x,
                                                     const torch::Tensor& weight, double epsilon);

}  // namespace trainer
