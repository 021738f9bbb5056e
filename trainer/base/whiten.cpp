#include "trainer/base/whiten.hpp"

namespace trainer {

Whitening whiten(const torch::Tensor& samples, std::int64_t directions, double floor) {
  const torch::Tensor all = samples.to(torch::kFloat64);
  const torch::Tensor mean = all.mean(0);
  const torch::Tensor centred = all - mean;
  const auto [values, vectors] =
      torch::linalg_eigh(centred.t().mm(centred) / static_cast<double>(all.size(0)), "L");
  const std::int64_t first = values.size(0) - directions;  // ascending
  const torch::Tensor scale = values.slice(0, first).clamp_min(values.max().item<double>() * floor).rsqrt();
  return {mean, (vectors.slice(1, first) * scale.unsqueeze(0)).t()};
}

}  // namespace trainer
