#include "trainer/model/adapter_linear.hpp"

#include <cmath>

#include "common/error.hpp"

namespace trainer {

AdapterLinear AdapterLinear::full(std::int64_t out, std::int64_t in, double deviation,
                                  at::Generator& generator) {
  AdapterLinear linear;
  linear.weight_ = deviation == 0 ? zero_leaf({out, in}) : random_leaf({out, in}, deviation, generator);
  return linear;
}

AdapterLinear AdapterLinear::low_rank(std::int64_t width, double deviation, std::int64_t rank, double alpha,
                                      at::Generator& generator) {
  AdapterLinear linear;
  if (deviation != 0) linear.anchor_ = random_leaf({width, width}, deviation, generator).detach();
  linear.a_ = random_leaf({rank, width}, 1.0 / std::sqrt(static_cast<double>(width)), generator);
  linear.b_ = zero_leaf({width, rank});
  linear.scaling_ = alpha / static_cast<double>(rank);
  return linear;
}

AdapterLinear AdapterLinear::with_bias() && {
  bias_ = zero_leaf({weight_.defined() ? weight_.size(0) : b_.size(0)});
  return std::move(*this);
}

torch::Tensor AdapterLinear::without_basis(const torch::Tensor& x) const {
  if (!basis_.defined()) return x;
  const torch::Tensor inside = x.mm(basis_);
  return x - (probe_.defined() ? inside - probe_ : inside).mm(basis_.t());
}

torch::Tensor AdapterLinear::delta() const {
  return weight_.defined() ? without_basis(weight_) : b_.mm(without_basis(a_)) * scaling_;
}

torch::Tensor AdapterLinear::operator()(const torch::Tensor& x) const {
  if (weight_.defined()) return torch::linear(x, anchor_.defined() ? anchor_ + delta() : delta(), bias_);
  // Low rank: two thin products; the basis is taken out of A's rows, never out of an [H, H] product.
  const torch::Tensor learnt = torch::linear(torch::linear(x, without_basis(a_)), b_) * scaling_;
  const torch::Tensor whole = anchor_.defined() ? torch::linear(x, anchor_) + learnt : learnt;
  return bias_.defined() ? whole + bias_ : whole;
}

void AdapterLinear::protect(torch::Tensor basis, Anchor anchor) {
  const torch::NoGradGuard no_graph;
  if (anchor == Anchor::here && weight_.defined()) {
    anchor_ = anchor_.defined() ? anchor_ + weight_ : weight_.clone();
    weight_.zero_();
  }
  basis_ = std::move(basis);
  const torch::Tensor& leaf = protected_leaf();
  // One zero, read everywhere: no memory.
  probe_ = torch::zeros({}, leaf.options()).expand({leaf.size(0), basis_.size(1)}).set_requires_grad(true);
}

void AdapterLinear::move_to(torch::Device device) {
  for (torch::Tensor* leaf : {&weight_, &a_, &b_, &bias_})
    if (leaf->defined()) *leaf = moved_leaf(*leaf, device);
  for (torch::Tensor* kept : {&anchor_, &basis_})
    if (kept->defined()) *kept = kept->to(device);
}

void AdapterLinear::append_parameters(const std::string& prefix, ParameterGroup group,
                                      std::vector<Parameter>& to) const {
  if (weight_.defined()) {
    to.push_back({prefix + ".weight", group, weight_});
  } else {
    to.push_back({prefix + ".lora_A.weight", group, a_});
    to.push_back({prefix + ".lora_B.weight", group, b_});
  }
  if (bias_.defined()) to.push_back({prefix + ".bias", group, bias_});
}

void AdapterLinear::append_frozen(const std::string& prefix, std::map<std::string, torch::Tensor>& to) const {
  if (anchor_.defined()) to[prefix + ".anchor"] = anchor_;
  if (basis_.defined()) to[prefix + ".null_space.basis"] = basis_;
}

void AdapterLinear::set_frozen(const std::string& prefix, const std::map<std::string, torch::Tensor>& from) {
  const torch::Device device = (weight_.defined() ? weight_ : a_).device();
  const auto find = [&](const char* what) {
    const auto found = from.find(prefix + what);
    return found == from.end() ? torch::Tensor() : found->second.to(device);
  };
  const auto width_in = (weight_.defined() ? weight_ : a_).size(1),
             width_out = (weight_.defined() ? weight_ : b_).size(0);
  const auto require = [&](const torch::Tensor& tensor, bool fits, const char* what) {
    if (tensor.defined() && !(tensor.dim() == 2 && tensor.is_floating_point() && fits))
      throw common::Error(common::ErrorKind::mismatch, "the file's tensor " + prefix + what +
                                                           " has another shape than the adapter's map; it "
                                                           "belongs to another run");
  };
  torch::Tensor anchor = find(".anchor"), basis = find(".null_space.basis");
  require(anchor,
          anchor.defined() && anchor.dim() == 2 && anchor.size(0) == width_out && anchor.size(1) == width_in,
          ".anchor");
  require(basis,
          basis.defined() && basis.dim() == 2 && basis.size(0) == width_in && basis.size(1) <= width_in,
          ".null_space.basis");
  anchor_ = std::move(anchor);
  basis_ = std::move(basis);
  probe_ = torch::Tensor();
}

}  // namespace trainer
