#include "trainer/train/adamw.hpp"

#include <algorithm>
#include <cmath>

#include "common/error.hpp"
#include "trainer/retention/mechanism.hpp"

namespace trainer {

AdamW::AdamW(std::vector<Parameter> parameters, const AdamWOptions& options)
    : parameters_(std::move(parameters)), options_(options), counts_(parameters_.size(), 0) {
  for (const Parameter& parameter : parameters_) {
    first_.push_back(torch::zeros_like(parameter.value.detach()));
    second_.push_back(torch::zeros_like(parameter.value.detach()));
  }
}

void AdamW::step(const std::vector<torch::Tensor>& gradients, double projector_rate, double adapter_rate) {
  const torch::NoGradGuard no_graph;
  ENSURE(gradients.size() == parameters_.size());
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    if (!gradients[k].defined()) continue;
    const double rate = parameters_[k].group == ParameterGroup::projector ? projector_rate : adapter_rate;
    torch::Tensor value = parameters_[k].value.detach();  // shares memory: the leaf itself moves
    const auto count = static_cast<double>(++counts_[k]);
    first_[k].mul_(options_.beta1).add_(gradients[k], 1.0 - options_.beta1);
    second_[k].mul_(options_.beta2).addcmul_(gradients[k], gradients[k], 1.0 - options_.beta2);
    if (value.dim() > 1) value.mul_(1.0 - rate * options_.weight_decay);
    const double correction1 = 1.0 - std::pow(options_.beta1, count);
    const double correction2 = 1.0 - std::pow(options_.beta2, count);
    const torch::Tensor root = (second_[k] / correction2).sqrt_().add_(options_.epsilon);
    value.addcdiv_(first_[k], root, -rate / correction1);
  }
}

std::map<std::string, torch::Tensor> AdamW::state() const {
  std::map<std::string, torch::Tensor> tensors;
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    tensors["adamw.first." + parameters_[k].name] = first_[k];
    tensors["adamw.second." + parameters_[k].name] = second_[k];
  }
  tensors["adamw.counts"] = torch::tensor(counts_, torch::kLong);
  return tensors;
}

void AdamW::set_state(const std::map<std::string, torch::Tensor>& state) {
  const auto find = [&](const std::string& name, at::IntArrayRef shape, torch::Dtype dtype) {
    const auto found = state.find(name);
    if (found == state.end() || found->second.sizes() != shape || found->second.scalar_type() != dtype)
      throw common::Error(common::ErrorKind::mismatch, "the checkpoint has no tensor " + name +
                                                           " of the right shape; start the run again without "
                                                           "--resume");
    return found->second;
  };
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    first_[k].copy_(find("adamw.first." + parameters_[k].name, first_[k].sizes(), first_[k].scalar_type()));
    second_[k].copy_(
        find("adamw.second." + parameters_[k].name, second_[k].sizes(), second_[k].scalar_type()));
  }
  const torch::Tensor counts =
      find("adamw.counts", {static_cast<std::int64_t>(counts_.size())}, torch::kInt64);
  for (std::size_t k = 0; k < counts_.size(); ++k)
    counts_[k] = counts[static_cast<std::int64_t>(k)].item<std::int64_t>();
}

double clip_gradients(std::vector<torch::Tensor>& gradients, double limit) {
  const double norm = gradient_norm(gradients);
  if (norm > limit)
    for (torch::Tensor& gradient : gradients)
      if (gradient.defined()) gradient = gradient * (limit / norm);
  return norm;
}

}  // namespace trainer
