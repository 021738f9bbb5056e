#include "trainer/model/compat.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

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

// Matrices are column by column to it.
using Sgemm = void (*)(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                       const int* k, const float* alpha, const float* a, const int* a_step, const float* b,
                       const int* b_step, const float* beta, float* c, const int* c_step);

// Of the BLAS that LibTorch is linked with, where it uses that one and would call it once a matrix.
Sgemm sgemm_of_libtorch() {
  static const auto found = at::hasMKL() ? nullptr : reinterpret_cast<Sgemm>(::dlsym(RTLD_DEFAULT, "sgemm_"));
  return found;
}

constexpr std::int64_t k_int_limit = std::numeric_limits<int>::max();

// How the matrices of a [B, R, C] lie; as LibTorch decides it, so that the BLAS is asked the same.
struct Layout {
  char transpose = 'n';
  int step = 0;  // from one row to the next; transposed: from one column
};
std::optional<Layout> layout_of(const torch::Tensor& x) {
  const std::int64_t rows = x.size(1), columns = x.size(2);
  if (x.stride(2) == 1 && x.stride(1) >= columns && x.stride(1) <= k_int_limit)
    return Layout{'n', static_cast<int>(x.stride(1))};
  if (x.stride(1) == 1 && x.stride(2) >= rows && x.stride(2) <= k_int_limit)
    return Layout{'t', static_cast<int>(x.stride(2))};
  return std::nullopt;
}

// A vector is no matrix to LibTorch, and below 400 multiplications it does them itself.
bool suits(const torch::Tensor& a, const torch::Tensor& b) {
  const auto is_plain = [](const torch::Tensor& x) {
    return x.scalar_type() == torch::kFloat32 && x.is_cpu() && x.layout() == torch::kStrided;
  };
  const std::int64_t m = a.size(1), k = a.size(2), n = b.size(2);
  return is_plain(a) && is_plain(b) && std::min({m, k, n}) > 1 && std::max({m, k, n}) <= k_int_limit &&
         m * k * n >= 400;
}

// [B, M, K] times [B, K, N], without a graph.
torch::Tensor multiply_flat(const torch::Tensor& a, const torch::Tensor& b) {
  const Sgemm sgemm = sgemm_of_libtorch();
  if (sgemm == nullptr || !suits(a, b)) return at::bmm(a, b);
  const std::optional<Layout> left = layout_of(a), right = layout_of(b);
  if (!left || !right) return at::bmm(a, b);
  torch::Tensor c = torch::empty({a.size(0), a.size(1), b.size(2)}, a.options());
  const int m = static_cast<int>(a.size(1)), k = static_cast<int>(a.size(2)), n = static_cast<int>(b.size(2));
  const float one = 1, zero = 0;
  const float* from_a = a.data_ptr<float>();
  const float* from_b = b.data_ptr<float>();
  float* to = c.data_ptr<float>();
  // Row by row is column by column of the transposed: c = a b is cᵀ = bᵀ aᵀ.
  for (std::int64_t i = 0; i < a.size(0);
       ++i, from_a += a.stride(0), from_b += b.stride(0), to += c.stride(0))
    sgemm(&right->transpose, &left->transpose, &n, &m, &k, &one, from_b, &right->step, from_a, &left->step,
          &zero, to, &n);
  return c;
}

class BatchedProduct : public torch::autograd::Function<BatchedProduct> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& a,
                               const torch::Tensor& b) {
    context->save_for_backward({a, b});
    return multiply_flat(a, b);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const torch::Tensor& of_product = gradients.at(0);
    torch::Tensor of_a, of_b;
    if (context->needs_input_grad(0)) of_a = multiply_flat(of_product, saved[1].transpose(1, 2));
    if (context->needs_input_grad(1)) of_b = multiply_flat(saved[0].transpose(1, 2), of_product);
    return {of_a, of_b};
  }
};

// a [.., M, K] times b [.., K, N]: the bits of at::matmul, and of its gradients. A LibTorch without MKL
// (Debian's) multiplies batches of matrices one by one and makes several tensors of each; for those of a tiny
// base that takes as long as the products. Here each goes straight to the BLAS.
torch::Tensor batched_product(const torch::Tensor& a, const torch::Tensor& b) {
  const auto axes = [](const torch::Tensor& x) { return x.sizes().slice(0, x.sizes().size() - 2); };
  if (sgemm_of_libtorch() == nullptr || !a.is_cpu() || a.dim() < 3 || a.dim() != b.dim() ||
      axes(a) != axes(b) || a.size(-1) != b.size(-2) || a.numel() == 0 || b.numel() == 0)
    return at::matmul(a, b);
  const auto flat = [](const torch::Tensor& x) { return x.reshape({-1, x.size(-2), x.size(-1)}); };
  const bool has_graph = torch::GradMode::is_enabled() && (a.requires_grad() || b.requires_grad());
  const torch::Tensor c =
      has_graph ? BatchedProduct::apply(flat(a), flat(b)) : multiply_flat(flat(a), flat(b));
  std::vector<std::int64_t> shape = a.sizes().vec();
  shape.back() = b.size(-1);
  return c.view(shape);
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
