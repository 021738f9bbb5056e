#include "trainer/retention/kl.hpp"

namespace trainer {

torch::Tensor kl_divergence(const torch::Tensor& teacher, const torch::Tensor& student, double temperature) {
  const torch::Tensor log_teacher = torch::log_softmax(teacher.to(torch::kFloat32) / temperature, -1);
  const torch::Tensor log_student = torch::log_softmax(student.to(torch::kFloat32) / temperature, -1);
  const torch::Tensor per_position = (log_teacher.exp() * (log_teacher - log_student)).sum(-1);
  return per_position.mean() * (temperature * temperature);
}

RetentionTerm KlRetention::term(std::int64_t step, RetentionScene& scene) {
  const DistractedBatch distracted = run_distracted(scene, scene.stream.draw(step));
  const torch::Tensor loss =
      kl_divergence(distracted.batch.base_logits, distracted.student, options_.temperature) * options_.weight;
  RetentionTerm term;
  term.value = loss.item<double>();
  term.gradients = torch::autograd::grad({loss}, leaves_of(scene.model), {}, false, false, true);
  term.gradient_norm = gradient_norm(term.gradients);
  return term;
}

}  // namespace trainer
