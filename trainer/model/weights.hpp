// The tensors of a model, described once: every model has a visit() that names each weight, its shape and how
// a new one starts. Loading, random starts, saving and training all go through it, so none of them can forget
// a tensor.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "trainer/model/compat.hpp"
#include "trainer/model/safetensors.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

// fan_in: normal with variance 1 / (product of all axes but the first); embedding: normal, deviation 0.02;
// index: I64, not a weight: kept in its type, computed by the model itself before visiting.
enum class Start { fan_in, embedding, zeros, ones, index };

using WeightVisitor =
    std::function<void(const std::string& name, torch::Tensor& weight, at::IntArrayRef shape, Start start)>;
using WeightVisit = std::function<void(const WeightVisitor&)>;
using NamedTensors = std::map<std::string, torch::Tensor>;

struct Linear {
  torch::Tensor weight;  // [out, in]
  torch::Tensor bias;    // [out] or undefined
  [[nodiscard]] torch::Tensor operator()(const torch::Tensor& x) const { return linear_map(x, weight, bias); }
  // The gradient of x from that of the result.
  [[nodiscard]] torch::Tensor gradient(const torch::Tensor& of_result) const {
    return product(of_result, weight);
  }
};

struct LayerNorm {
  torch::Tensor weight, bias;  // [width]
  double epsilon = 1e-5;
  [[nodiscard]] torch::Tensor operator()(const torch::Tensor& x) const {
    return at::layer_norm(x, weight.sizes(), weight, bias, epsilon);
  }
};

enum class Bias { none, present };
void visit_linear(const WeightVisitor& visitor, const std::string& name, Linear& linear, std::int64_t in,
                  std::int64_t out, Bias bias);
void visit_norm(const WeightVisitor& visitor, const std::string& name, LayerNorm& norm, std::int64_t width);

// Sets every weight anew. The draw depends on `seed` and the tensor's name alone, not on the order or on
// torch's own generator.
void start_randomly(const WeightVisit& visit, std::int64_t seed, const Placement& placement);

// What the folder calls a tensor -> what the model calls it; empty: known and never needed.
using CanonicalName = std::function<std::string(const std::string&)>;

// Sets every weight from the folder. A missing tensor, two of one name, another shape, or one more in a part
// of the network (which its first word names) is a mismatch error; tensors of an adapter are an io error.
// Those of other names are left alone.
void load_weights(const WeightVisit& visit, const SafetensorsFolder& folder, const CanonicalName& canonical,
                  const Placement& placement);

// The very tensors of the model by name: setting requires_grad on them or writing into them changes the
// model.
[[nodiscard]] NamedTensors weights_by_name(const WeightVisit& visit);

}  // namespace trainer
