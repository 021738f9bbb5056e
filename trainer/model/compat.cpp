#include "trainer/model/compat.hpp"

#include <torch/version.h>

namespace trainer {

torch::Tensor index_on(torch::Device device, const std::vector<std::int64_t>& numbers) {
  return torch::tensor(numbers, torch::kLong).to(device);
}

torch::Tensor pick_rows(const torch::Tensor& table, const std::vector<std::int64_t>& rows) {
  return table.index_select(0, index_on(table.device(), rows));
}

torch::Tensor attend(const torch::Tensor& query, const torch::Tensor& key, const torch::Tensor& value,
                     const torch::Tensor& bias, double scale) {
#if TORCH_VERSION_MAJOR >= 2
  // On CUDA the gradients of its fast kernels depend on the order of additions.
  if (query.is_cpu()) {
    // Its scale argument came in 2.1 only; scaling the query is the same on all.
    const double width = static_cast<double>(query.size(-1));
    c10::optional<torch::Tensor> mask;
    if (bias.defined()) mask = bias.to(query.scalar_type());
    return at::scaled_dot_product_attention(query * (scale * std::sqrt(width)), key, value, mask);
  }
#endif
  auto scores = at::matmul(query * scale, key.transpose(-1, -2)).to(torch::kFloat32);  // [B,A,Q,K]
  if (bias.defined()) scores = scores + bias;
  return at::matmul(at::softmax(scores, -1).to(value.scalar_type()), value);
}

}  // namespace trainer
