// KL retention (Li and Hoiem 2016; Hinton et al. 2015): on a question with a distractor clip, say what the
// base says without sound.
//
//   loss = w * T^2 * mean over answer positions of KL(softmax(teacher/T) || softmax(student/T))
#pragma once

#include <optional>

#include "common/cli/verb.hpp"
#include "common/json.hpp"
#include "trainer/retention/mechanism.hpp"
#include "trainer/retention/mechanism_needs.hpp"

namespace trainer {

struct KlOptions {
  double weight = 0.1;  // 0: off
  double temperature = 3;

  // What the table of mechanisms asks of every one (mechanism_table.hpp).
  static constexpr const char *k_key = "kl", *k_title = "KL", *k_switch_off = "--kl-weight 0";
  struct Flags {
    std::optional<double> weight, temperature;
  };
  static void add_flags(common::Verb& verb, Flags& flags);
  static KlOptions preset(const std::string& variant);
  void apply(const Flags& flags);
  [[nodiscard]] bool is_on() const { return weight > 0; }
  [[nodiscard]] common::Json json() const;
  [[nodiscard]] MechanismNeeds needs(std::int64_t batch) const;
  [[nodiscard]] std::unique_ptr<RetentionMechanism> make(std::int64_t seed) const;
};

// teacher, student [N, V] -> [N], T^2 times the divergence at each position.
[[nodiscard]] torch::Tensor kl_divergences(const torch::Tensor& teacher, const torch::Tensor& student,
                                           double temperature);
// Their mean.
[[nodiscard]] torch::Tensor kl_divergence(const torch::Tensor& teacher, const torch::Tensor& student,
                                          double temperature);

// The term of one draw, in passes of scene.rows_at_once questions.
[[nodiscard]] RetentionTerm kl_term(const KlOptions& options, const RetentionDraw& draw,
                                    RetentionScene& scene);

class KlRetention final : public RetentionMechanism {
 public:
  explicit KlRetention(const KlOptions& options) : options_(options) {}
  [[nodiscard]] std::string name() const override { return KlOptions::k_key; }
  RetentionTerm term(std::int64_t step, RetentionScene& scene) override;

 private:
  KlOptions options_;
};

}  // namespace trainer
