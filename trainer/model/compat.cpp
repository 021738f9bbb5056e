#include "trainer/model/compat.hpp"

#include <ATen/Parallel.h>
#include <torch/version.h>

#include <cstring>

#include "trainer/model/batched_product.hpp"
#include "trainer/model/compute.hpp"

namespace trainer {
namespace {

bool is_slow(const torch::Tensor& x) {
  // oneDNN multiplies bf16 by AVX-512 only, which --arithmetic portable takes from all libraries: LibTorch
  // then asks it in vain, and fails, or multiplies one number at a time.
  static const bool has_instructions =
      __builtin_cpu_supports("avx512bf16") != 0 && arithmetic_in_use().aten == "AVX512";
  return x.scalar_type() == torch::kBFloat16 && x.is_cpu() && !has_instructions;
}

// bf16 is the upper half of fp32. LibTorch's own conversion takes four times as long.
torch::Tensor widened(const torch::Tensor& x) {
  if (x.scalar_type() != torch::kBFloat16 || !x.is_contiguous() || x.requires_grad())
    return x.to(torch::kFloat32);
  torch::Tensor wide = torch::empty(x.sizes(), torch::kFloat32);
  const auto* from = static_cast<const std::uint16_t*>(x.data_ptr());
  auto* to = static_cast<std::uint32_t*>(wide.data_ptr());
  at::parallel_for(0, x.numel(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] = static_cast<std::uint32_t>(from[i]) << 16;
  });
  return wide;
}

// map(operands), all of them widened where LibTorch is slow with them as they are.
template <typename Map, typename... Tensors>
torch::Tensor at_speed(const Map& map, const Tensors&... operands) {
  if (!(is_slow(operands) && ...)) return map(operands...);
  return map(widened(operands)...).to(torch::kBFloat16);
}

}  // namespace

torch::Tensor linear_map(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
  const auto map = [&](const torch::Tensor& a, const torch::Tensor& b) {
    return at::linear(a, b, bias.defined() ? bias.to(a.scalar_type()) : bias);
  };
  return at_speed(map, x, weight);
}

torch::Tensor product(const torch::Tensor& a, const torch::Tensor& b) {
  return at_speed(batched_product, a, b);
}

torch::Tensor strided_map(const torch::Tensor& pictures, const torch::Tensor& weight, std::int64_t stride) {
  const auto map = [stride](const torch::Tensor& a, const torch::Tensor& b) {
    return at::conv2d(a, b, {}, stride);
  };
  return at_speed(map, pictures, weight);
}

torch::Tensor gelu(const torch::Tensor& x, const char* approximation) {
  return at_speed([approximation](const torch::Tensor& a) { return at::gelu(a, approximation); }, x);
}

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
  auto scores = product(query * scale, key.transpose(-1, -2)).to(torch::kFloat32);  // [B,A,Q,K]
  if (bias.defined()) scores = scores + bias;
  return product(at::softmax(scores, -1).to(value.scalar_type()), value);
}

}  // namespace trainer
