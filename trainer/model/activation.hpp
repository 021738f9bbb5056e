// The activations that published configurations name.
#pragma once

#include "trainer/model/tensor.hpp"

namespace trainer {

enum class Activation { gelu, gelu_tanh, quick_gelu, relu, silu };

[[nodiscard]] torch::Tensor activate(Activation activation, const torch::Tensor& x);

}  // namespace trainer
