#include "trainer/model/compat.hpp"

#include <array>

#include "tests/support/tensors.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::noise;

namespace {

struct Shapes {
  std::vector<std::int64_t> a, b;
};

// Above and below 400 multiplications, vectors, nothing at all, one matrix, several axes.
const std::array k_shapes = {
    Shapes{{3, 4, 40, 24}, {3, 4, 24, 40}}, Shapes{{3, 4, 40, 49}, {3, 4, 49, 24}},
    Shapes{{5, 7, 9}, {5, 9, 8}},           Shapes{{5, 2, 3}, {5, 3, 2}},
    Shapes{{2, 2, 1, 40}, {2, 2, 40, 24}},  Shapes{{2, 2, 40, 24}, {2, 2, 24, 1}},
    Shapes{{2, 40, 1}, {2, 1, 40}},         Shapes{{1, 1, 33, 65}, {1, 1, 65, 129}},
    Shapes{{0, 4, 8, 8}, {0, 4, 8, 8}},     Shapes{{2, 8, 0}, {2, 0, 8}},
};

bool same(const torch::Tensor& a, const torch::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() && torch::equal(a, b);
}

// What has these numbers and shape, and lies otherwise in memory: as it comes, transposed, between others.
std::vector<torch::Tensor> layouts_of(const torch::Tensor& x) {
  const std::int64_t last = x.dim() - 1;
  return {x, x.transpose(-1, -2).contiguous().transpose(-1, -2),
          torch::cat({x + 1, x, x - 1}, last).slice(last, x.size(last), 2 * x.size(last)),
          torch::stack({x, x}, 1).select(1, 1), torch::stack({x, x}, -1).select(-1, 0)};
}

}  // namespace

TEST_CASE(
    "products of many matrices, and their gradients, have the bits of LibTorch's own, however they lie") {
  for (const Shapes& shapes : k_shapes) {
    CAPTURE(shapes.a);
    CAPTURE(shapes.b);
    const torch::Tensor a = noise(shapes.a, 1), b = noise(shapes.b, 2);
    for (const torch::Tensor& left : layouts_of(a))
      for (const torch::Tensor& right : layouts_of(b)) {
        CHECK(same(product(left, right), at::matmul(left, right)));
        const auto leaf = [](const torch::Tensor& x) { return x.detach().requires_grad_(true); };
        const torch::Tensor x = leaf(left), y = leaf(right);
        const torch::Tensor of_product = noise(at::matmul(a, b).sizes(), 3);
        const auto ours = torch::autograd::grad({product(x, y)}, {x, y}, {of_product});
        const auto theirs = torch::autograd::grad({at::matmul(x, y)}, {x, y}, {of_product});
        CHECK(same(ours[0], theirs[0]));
        CHECK(same(ours[1], theirs[1]));
        // Of one side alone.
        CHECK(same(torch::autograd::grad({product(x, right)}, {x}, {of_product})[0], theirs[0]));
        CHECK(same(torch::autograd::grad({product(left, y)}, {y}, {of_product})[0], theirs[1]));
      }
  }
}

TEST_CASE("what is no product of as many matrices on both sides, or of other numbers, is LibTorch's own") {
  const torch::Tensor many = noise({3, 4, 5, 20}, 1), one = noise({20, 30}, 2), row = noise({1, 4, 20, 6}, 3);
  CHECK(same(product(many, one), at::matmul(many, one)));
  CHECK(same(product(many, row), at::matmul(many, row)));
  CHECK(same(product(one.t(), one), at::matmul(one.t(), one)));
  const torch::Tensor wide = many.to(torch::kFloat64);
  CHECK(same(product(wide, wide.transpose(2, 3)), at::matmul(wide, wide.transpose(2, 3))));
  CHECK_THROWS_AS((void)product(many, many), c10::Error);  // 20 columns, 5 rows
}
