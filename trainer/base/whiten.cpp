#include "trainer/base/whiten.hpp"

#include <algorithm>

namespace trainer {

Whitening whiten(const torch::Tensor& samples, std::int64_t directions, double floor) {
  const torch::Tensor all = samples.to(torch::kFloat64);
  const torch::Tensor mean = all.mean(0);
  const torch::Tensor centred = all - mean;
  const auto [values, vectors] =
      torch::linalg_eigh(centred.t().mm(centred) / static_cast<double>(all.size(0)), "L");
  const std::int64_t first = values.size(0) - directions;                     // ascending
  const double least = std::max(values.max().item<double>() * floor, 1e-12);  // where all samples are one
  const torch::Tensor scale = values.slice(0, first).clamp_min(least).rsqrt();
  return {mean, (vectors.slice(1, first) * scale.unsqueeze(0)).t()};
}

}  // namespace trainer
