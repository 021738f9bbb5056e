// The activations that published configurations name, as functions of tensors.
#pragma once

#include "trainer/formats/activation.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

[[nodiscard]] torch::Tensor activate(Activation activation, const torch::Tensor& x);

}  // namespace trainer
