#include "trainer/model/activate.hpp"

#include "common/error.hpp"
#include "trainer/model/compat.hpp"

namespace trainer {

torch::Tensor activate(Activation activation, const torch::Tensor& x) {
  switch (activation) {
    case Activation::gelu:
      return gelu(x, "none");
    case Activation::gelu_tanh:
      return gelu(x, "tanh");
    case Activation::quick_gelu:
      return x * at::sigmoid(x * 1.702);
    case Activation::relu:
      return at::relu(x);
    case Activation::silu:
      return at::silu(x);
  }
  common::ensure_failed("a known activation", __FILE__, __LINE__);
}

}  // namespace trainer
