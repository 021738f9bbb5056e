// Null space of gradients (orthogonal gradient descent, Farajtabar et al. 2020): no step may go where it
// would change an answer to first order.
//
// For each trained tensor, Q [n, r] spans the gradients of log p(y | x) of retention questions heard with
// distractors, y drawn from the model, one question at a time. What lies in that span is taken out of the
// gradient before the optimiser sees it, and out of the update after it (the optimiser's scaling and weight
// decay turn a gradient outside the span into a step that is not). Q is drawn anew every `refresh` steps.
//
// A row of the ablation, not advice: Q holds its own gradients and little of the next question's, which
// `generalisation` measures. Axes: n numbers of a tensor, r rank, S samples.
#pragma once

#include "trainer/retention/null_space.hpp"

namespace trainer {

// rows [S, n] -> [n, at most rank], orthonormal columns that span the strongest directions; fewer where the
// rows have fewer.
[[nodiscard]] torch::Tensor row_space(const torch::Tensor& rows, std::int64_t rank);

class GradientSubspaceRetention final : public RetentionMechanism {
 public:
  static constexpr std::int64_t k_samples = 128;
  static constexpr std::int64_t k_rank = 64;  // where NullSpaceOptions::rank_limit is 0

  GradientSubspaceRetention(const NullSpaceOptions& options, std::int64_t seed)
      : options_(options), seed_(seed) {}
  [[nodiscard]] std::string name() const override { return NullSpaceOptions::k_key; }
  void anchor(RetentionScene& scene) override;
  void renew(std::int64_t step, RetentionScene& scene) override;
  void before_update(std::vector<torch::Tensor>& gradients, const SafeModel& model) override;
  void after_update(SafeModel& model) override;
  [[nodiscard]] MechanismKind kind() const override { return MechanismKind::constraint; }
  void see_task(const std::vector<torch::Tensor>& task, const std::vector<torch::Tensor>& watched,
                const SafeModel& model) override;
  // |Q Q^T G| / |G| over all tensors, G being the task's gradient.
  [[nodiscard]] double removed() const override { return removed_; }
  [[nodiscard]] std::map<std::string, torch::Tensor> state() const override;
  void set_state(const std::map<std::string, torch::Tensor>& state) override;
  void measure(const SafeModel& model, Metrics& metrics) const override;

  [[nodiscard]] std::int64_t rank() const;  // the largest of any tensor; 0 before the first step
  // Share of fresh gradients' energy that the subspace before them held; nothing before the second subspace.
  [[nodiscard]] std::optional<double> generalisation() const { return generalisation_; }
  // |part of an update inside the span| / |update|, after the projection: the largest of all steps.
  [[nodiscard]] double leak() const { return leak_; }

 private:
  void measure_generalisation(const std::vector<torch::Tensor>& fresh);

  NullSpaceOptions options_;
  std::int64_t seed_ = 0;
  std::vector<std::string> names_;
  torch::Device device_ = torch::kCPU;  // of the trained tensors
  std::vector<torch::Tensor> bases_;    // one a tensor, undefined where it had no gradient yet
  std::vector<torch::Tensor> before_;   // the tensors before the update
  double removed_ = 0, leak_ = 0;
  std::optional<double> generalisation_;
};

}  // namespace trainer
