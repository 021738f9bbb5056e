// Fisher retention (elastic weight consolidation, Kirkpatrick et al. 2017): a spring on every trained number,
// as stiff as the base's answers are sensitive to it.
//
//   loss = w/2 * sum_i F_i (theta_i - theta0_i)^2,   F_i = E[(d log p(y | x) / d theta_i)^2],  y drawn from
//   the model
//
// F is raw, not normalised: then w = 1 makes the loss the second-order form of the KL to the base. It is
// taken over retention questions with distractors, one question at a time (the square of a batch's mean
// gradient would be up to a batch size too small), divided by the square root of the answer's length because
// the KL is a mean over positions. At theta0 the output projection is zero, so F is zero for all that lies
// before it: the estimate is renewed while training, F <- decay F + (1 - decay) F_new.
#pragma once

#include <functional>
#include <optional>

#include "common/cli/verb.hpp"
#include "common/json.hpp"
#include "trainer/retention/mechanism.hpp"
#include "trainer/retention/mechanism_needs.hpp"

namespace trainer {

struct FisherOptions {
  double weight = 1;         // 0: off
  std::int64_t every = 100;  // first at this step, then every so many
  std::int64_t samples = 96;
  double decay = 0.5;

  // What the table of mechanisms asks of every one (mechanism_table.hpp).
  static constexpr const char *k_key = "fisher", *k_title = "Fisher", *k_switch_off = "--fisher-weight 0";
  struct Flags {
    std::optional<double> weight;
  };
  static void add_flags(common::Verb& verb, Flags& flags);
  static FisherOptions preset(const std::string& variant);
  void apply(const Flags& flags);
  [[nodiscard]] bool is_on() const { return weight > 0; }
  [[nodiscard]] common::Json json() const;
  [[nodiscard]] MechanismNeeds needs(std::int64_t batch) const;
  [[nodiscard]] std::unique_ptr<RetentionMechanism> make(std::int64_t seed) const;
};

// Mean over `samples` of the squared gradient that sample(i) gives, side by side and over all processes; one
// tensor for each of `leaves`, as they are.
[[nodiscard]] std::vector<torch::Tensor> mean_squared_gradients(
    std::int64_t samples, const std::vector<torch::Tensor>& leaves, const Compute& compute,
    const std::function<std::vector<torch::Tensor>(std::int64_t)>& sample);

// w/2 sum F (theta - anchor)^2 and its gradient w F (theta - anchor).
[[nodiscard]] RetentionTerm fisher_penalty(const std::vector<torch::Tensor>& fisher,
                                           const std::vector<torch::Tensor>& theta,
                                           const std::vector<torch::Tensor>& anchor, double weight);

class FisherRetention final : public RetentionMechanism {
 public:
  FisherRetention(const FisherOptions& options, std::int64_t seed) : options_(options), seed_(seed) {}
  [[nodiscard]] std::string name() const override { return FisherOptions::k_key; }
  void anchor(RetentionScene& scene) override;
  void renew(std::int64_t step, RetentionScene& scene) override;
  RetentionTerm term(std::int64_t step, RetentionScene& scene) override;
  [[nodiscard]] std::map<std::string, torch::Tensor> state() const override;
  void set_state(const std::map<std::string, torch::Tensor>& state) override;
  void measure(const SafeModel& model, Metrics& metrics) const override;
  // Sum of all F_i; 0 before the first estimate.
  [[nodiscard]] double trace() const;
  // The loss at the model as it is now.
  [[nodiscard]] double penalty(const SafeModel& model) const;

 private:
  FisherOptions options_;
  std::int64_t seed_ = 0;
  std::vector<std::string> names_;
  std::vector<torch::Tensor> anchor_;  // theta0
  std::vector<torch::Tensor> fisher_;  // empty before the first estimate
};

}  // namespace trainer
