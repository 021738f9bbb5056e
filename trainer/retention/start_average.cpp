#include "trainer/retention/start_average.hpp"

#include <fmt/format.h>

namespace trainer {
namespace {

class StartAverage final : public RetentionMechanism {
 public:
  explicit StartAverage(const StartAverageOptions& options) : options_(options) {}
  [[nodiscard]] std::string name() const override { return StartAverageOptions::k_key; }
  [[nodiscard]] MechanismKind kind() const override { return MechanismKind::constraint; }

  void anchor(RetentionScene& scene) override {
    leaves_ = leaves_of(scene.model);
    for (const torch::Tensor& leaf : leaves_) anchor_.push_back(leaf.detach().clone());
  }

  void finish(SafeModel& /*model*/) override {
    const torch::NoGradGuard no_graph;
    way_ = way();
    for (std::size_t k = 0; k < leaves_.size(); ++k) {
      torch::Tensor value = leaves_[k].detach();
      value.copy_(anchor_[k] + (value - anchor_[k]) * options_.share);
    }
  }

  // What averaging takes away, were this step the last.
  [[nodiscard]] double removed() const override { return (1 - options_.share) * way(); }

  void measure(const SafeModel& /*model*/, Metrics& metrics) const override {
    metrics.mechanisms[name()].measured["way_trained"] = way_;
    metrics.mechanisms[name()].measured["way_kept"] = way();
  }

 private:
  // |theta - theta0|.
  [[nodiscard]] double way() const {
    std::vector<torch::Tensor> moved;
    for (std::size_t k = 0; k < leaves_.size(); ++k) moved.push_back(leaves_[k].detach() - anchor_[k]);
    return gradient_norm(moved);
  }

  StartAverageOptions options_;
  std::vector<torch::Tensor> leaves_;  // the model's
  std::vector<torch::Tensor> anchor_;  // theta0
  double way_ = 0;                     // before averaging
};

}  // namespace

void StartAverageOptions::add_flags(common::Verb& verb, Flags& flags) {
  verb.real("--start-average", flags.share, common::RealRange::share,
            "After the last step keep this share of the way from the start, and go back the rest; 1: off")
      .otherwise(fmt::format("{}", StartAverageOptions{}.share));
}

StartAverageOptions StartAverageOptions::preset(const std::string& /*variant*/) { return {}; }

void StartAverageOptions::apply(const Flags& flags) { share = flags.share.value_or(share); }

common::Json StartAverageOptions::json() const { return {{"share", share}}; }

MechanismNeeds StartAverageOptions::needs(std::int64_t /*batch*/) const {
  return {.first_step = 1, .questions = 0, .adapter_copies = 1};
}

std::unique_ptr<RetentionMechanism> StartAverageOptions::make(std::int64_t /*seed*/) const {
  return std::make_unique<StartAverage>(*this);
}

}  // namespace trainer
