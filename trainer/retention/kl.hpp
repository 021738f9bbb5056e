// KL retention (Li and Hoiem 2016; Hinton et al. 2015): on a question with a distractor clip, say what the
// base says without sound.
//
//   loss = w * T^2 * mean over answer positions of KL(softmax(teacher/T) || softmax(student/T))
#pragma once

#include "trainer/retention/mechanism.hpp"

namespace trainer {

struct KlOptions {
  double weight = 0.1;
  double temperature = 3;
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
  [[nodiscard]] std::string name() const override { return "kl"; }
  RetentionTerm term(std::int64_t step, RetentionScene& scene) override;

 private:
  KlOptions options_;
};

}  // namespace trainer
