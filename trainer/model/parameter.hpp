// A trained tensor with the name under which a checkpoint stores it.
#pragma once

#include <string>
#include <vector>

#include "trainer/model/tensor.hpp"

namespace trainer {

enum class ParameterGroup { projector, adapter };  // each has its own learning rate

struct Parameter {
  std::string name;
  ParameterGroup group = ParameterGroup::adapter;
  torch::Tensor value;  // a leaf that requires a gradient
};

// A generator of its own: draws for one purpose never shift those for another.
[[nodiscard]] at::Generator make_generator(std::int64_t seed, const std::string& purpose);

// N(0, deviation^2) as a leaf that requires a gradient.
[[nodiscard]] torch::Tensor random_leaf(at::IntArrayRef shape, double deviation, at::Generator& generator);
[[nodiscard]] torch::Tensor zero_leaf(at::IntArrayRef shape);
// The same numbers on `device`, as a leaf of its own; on the same device it shares them with `leaf`.
[[nodiscard]] torch::Tensor moved_leaf(const torch::Tensor& leaf, torch::Device device);

}  // namespace trainer
