#include "trainer/retention/l2_sp.hpp"

#include <fmt/format.h>

namespace trainer {
namespace {

class L2SpRetention final : public RetentionMechanism {
 public:
  explicit L2SpRetention(const L2SpOptions& options) : options_(options) {}
  [[nodiscard]] std::string name() const override { return L2SpOptions::k_key; }

  void anchor(RetentionScene& scene) override {
    for (const torch::Tensor& leaf : leaves_of(scene.model)) anchor_.push_back(leaf.detach().clone());
  }

  RetentionTerm term(std::int64_t /*step*/, RetentionScene& scene) override {
    const torch::NoGradGuard no_graph;
    RetentionTerm term;
    const std::vector<torch::Tensor> leaves = leaves_of(scene.model);
    for (std::size_t k = 0; k < leaves.size(); ++k)
      term.gradients.push_back((leaves[k] - anchor_[k]) * options_.weight);
    term.value = penalty(leaves);
    term.gradient_norm = gradient_norm(term.gradients);
    return term;
  }

  void measure(const SafeModel& model, Metrics& metrics) const override {
    metrics.mechanisms[name()].measured["penalty"] = penalty(leaves_of(model));
  }

 private:
  [[nodiscard]] double penalty(const std::vector<torch::Tensor>& leaves) const {
    std::vector<torch::Tensor> moved;
    for (std::size_t k = 0; k < leaves.size(); ++k) moved.push_back(leaves[k].detach() - anchor_[k]);
    const double norm = gradient_norm(moved);
    return 0.5 * options_.weight * norm * norm;
  }

  L2SpOptions options_;
  std::vector<torch::Tensor> anchor_;  // theta0
};

}  // namespace

void L2SpOptions::add_flags(common::Verb& verb, Flags& flags) {
  verb.real("--l2-sp-weight", flags.weight, common::RealRange::not_negative,
            "Pull every trained number to its start with this weight (L2-SP); 0: off")
      .otherwise(fmt::format("{}", L2SpOptions{}.weight));
}

L2SpOptions L2SpOptions::preset(const std::string& /*variant*/) { return {}; }

void L2SpOptions::apply(const Flags& flags) { weight = flags.weight.value_or(weight); }

common::Json L2SpOptions::json() const { return {{"weight", weight}}; }

MechanismNeeds L2SpOptions::needs(std::int64_t /*batch*/) const {
  return {.questions = 0, .adapter_copies = 2};
}

std::unique_ptr<RetentionMechanism> L2SpOptions::make(std::int64_t /*seed*/) const {
  return std::make_unique<L2SpRetention>(*this);
}

}  // namespace trainer
