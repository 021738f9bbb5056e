// One linear map of the trained part: y = x W^T + b with W = anchor + delta, delta = D - (D U) U^T where a
// basis U [in, r] is set. Then W U = anchor U after any number of optimiser steps, whatever the optimiser
// does, because delta is built so and autograd sends every gradient through the same projection. Of a map of
// low rank it is A that is so built.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "trainer/model/parameter.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

class AdapterLinear {
 public:
  AdapterLinear() = default;
  // D [out, in] starts as drawn with `deviation` (anchor 0); deviation 0 starts at zero. No bias.
  static AdapterLinear full(std::int64_t out, std::int64_t in, double deviation, at::Generator& generator);
  // anchor [width, width] frozen as drawn, delta = (alpha / rank) B A with B = 0. No bias.
  static AdapterLinear low_rank(std::int64_t width, double deviation, std::int64_t rank, double alpha,
                                at::Generator& generator);
  // The same map with a trained bias [out], 0 at the start.
  [[nodiscard]] AdapterLinear with_bias() &&;
  [[nodiscard]] torch::Tensor operator()(const torch::Tensor& x) const;
  // What the map has learnt, [out, in], the basis taken out.
  [[nodiscard]] torch::Tensor delta() const;
  // basis [in, r], orthonormal columns. zero: nothing of what is protected is let through, not even the
  // weights' first draw. here: the map keeps doing there what it does now.
  enum class Anchor { zero, here };
  void protect(torch::Tensor basis, Anchor anchor);
  [[nodiscard]] const torch::Tensor& basis() const { return basis_; }
  // What the basis is taken out of, D or A, and a leaf of zeros whose gradient is G U, where G is what the
  // gradient of the former would be without the basis: [out or rank, r]. Undefined where protect was not
  // called.
  [[nodiscard]] const torch::Tensor& protected_leaf() const { return weight_.defined() ? weight_ : a_; }
  [[nodiscard]] const torch::Tensor& probe() const { return probe_; }
  void append_parameters(const std::string& prefix, ParameterGroup group, std::vector<Parameter>& to) const;
  void append_frozen(const std::string& prefix, std::map<std::string, torch::Tensor>& to) const;
  // What append_frozen gave, on the device of the weights; anchor and basis are none where it holds none.
  void set_frozen(const std::string& prefix, const std::map<std::string, torch::Tensor>& from);
  // Everything to `device`, the trained tensors as new leaves: parameters that were appended before are none
  // of the map's any more.
  void move_to(torch::Device device);

 private:
  // x [rows, in] -> x - (x U - probe) U^T.
  [[nodiscard]] torch::Tensor without_basis(const torch::Tensor& x) const;

  torch::Tensor anchor_;  // [out, in] frozen; undefined: zero
  torch::Tensor weight_;  // [out, in] trained, or
  torch::Tensor a_, b_;   // [rank, in], [out, rank] trained
  double scaling_ = 1;    // alpha / rank
  torch::Tensor bias_;    // [out] trained, or undefined
  torch::Tensor basis_;   // [in, r], or undefined
  torch::Tensor probe_;   // stays 0
};

}  // namespace trainer
