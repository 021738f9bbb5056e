#include "trainer/model/batched_product.hpp"

#include <ATen/Context.h>

#include <dlfcn.h>

#include <limits>
#include <optional>

namespace trainer {
namespace {

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

}  // namespace

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

}  // namespace trainer
