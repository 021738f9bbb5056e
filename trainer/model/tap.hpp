// Sees what a model computes between its input and its output, stage by stage, to compare with other
// programs.
#pragma once

#include <functional>
#include <string>

#include "trainer/model/tensor.hpp"

namespace trainer {

using Tap = std::function<void(const std::string& stage, const torch::Tensor& value)>;

}  // namespace trainer
