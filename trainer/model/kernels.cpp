#include "trainer/model/kernels.hpp"

#include <cmath>

namespace trainer {
namespace {

constexpr std::size_t k_lanes = 8;

// A fixed number of partial sums: the same bits on every processor, and work for its vectors.
float sum_of_products(const float* a, const float* b, std::size_t width) {
  float lanes[k_lanes] = {};
  std::size_t i = 0;
  for (; i + k_lanes <= width; i += k_lanes)
    for (std::size_t lane = 0; lane < k_lanes; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  float sum = 0;
  for (; i < width; ++i) sum += a[i] * b[i];
  for (const float lane : lanes) sum += lane;
  return sum;
}

float inverse_rms(const float* x, std::size_t width, double epsilon) {
  return 1.0F /
         std::sqrt(sum_of_products(x, x, width) / static_cast<float>(width) + static_cast<float>(epsilon));
}

struct Rows {
  std::size_t count = 0, width = 0;
  explicit Rows(const torch::Tensor& x)
      : count(static_cast<std::size_t>(x.numel() / x.size(-1))),
        width(static_cast<std::size_t>(x.size(-1))) {}
};

}  // namespace

bool suits_kernels(const torch::Tensor& x, const torch::Tensor& weight) {
  const auto suits = [](const torch::Tensor& t) {
    return t.scalar_type() == torch::kFloat32 && t.is_cpu() && t.is_contiguous() && !t.requires_grad();
  };
  return suits(x) && weight.defined() && suits(weight);
}

torch::Tensor rms_norm_in_one(const torch::Tensor& x, const torch::Tensor& weight, double epsilon) {
  torch::Tensor normed = torch::empty_like(x);
  const Rows rows(x);
  const float* from = x.data_ptr<float>();
  const float* factors = weight.data_ptr<float>();
  float* to = normed.data_ptr<float>();
  for (std::size_t row = 0; row < rows.count; ++row, from += rows.width, to += rows.width) {
    const float scale = inverse_rms(from, rows.width, epsilon);
    for (std::size_t i = 0; i < rows.width; ++i) to[i] = from[i] * scale * factors[i];
  }
  return normed;
}

torch::Tensor rms_norm_gradient_in_one(const torch::Tensor& of_normed, const torch::Tensor& x,
                                       const torch::Tensor& weight, double epsilon) {
  torch::Tensor gradient = torch::empty_like(x);
  const Rows rows(x);
  const float* from = x.data_ptr<float>();
  const float* above = of_normed.data_ptr<float>();
  const float* factors = weight.data_ptr<float>();
  float* to = gradient.data_ptr<float>();
  for (std::size_t row = 0; row < rows.count;
       ++row, from += rows.width, above += rows.width, to += rows.width) {
    const float scale = inverse_rms(from, rows.width, epsilon);
    for (std::size_t i = 0; i < rows.width; ++i) to[i] = above[i] * factors[i];
    const float along =
        sum_of_products(to, from, rows.width) / static_cast<float>(rows.width) * scale * scale;
    for (std::size_t i = 0; i < rows.width; ++i) to[i] = (to[i] - from[i] * along) * scale;
  }
  return gradient;
}

}  // namespace trainer
