#include "trainer/retention/kl.hpp"

#include <algorithm>

namespace trainer {

torch::Tensor kl_divergences(const torch::Tensor& teacher, const torch::Tensor& student, double temperature) {
  const torch::Tensor log_teacher = torch::log_softmax(teacher.to(torch::kFloat32) / temperature, -1);
  const torch::Tensor log_student = torch::log_softmax(student.to(torch::kFloat32) / temperature, -1);
  return (log_teacher.exp() * (log_teacher - log_student)).sum(-1) * (temperature * temperature);
}

torch::Tensor kl_divergence(const torch::Tensor& teacher, const torch::Tensor& student, double temperature) {
  return kl_divergences(teacher, student, temperature).mean();
}

RetentionTerm KlRetention::term(std::int64_t step, RetentionScene& scene) {
  return kl_term(options_, scene.stream.draw(step), scene);
}

RetentionTerm kl_term(const KlOptions& options, const RetentionDraw& draw, RetentionScene& scene) {
  const auto count = static_cast<std::int64_t>(draw.questions.size());
  RetentionTerm term;
  std::int64_t positions = 0;
  for (const std::int64_t question : draw.questions)
    positions += answer_length(scene.rows[static_cast<std::size_t>(question)].row);
  const double share = options.weight / static_cast<double>(positions);
  for (std::int64_t begin = 0; begin < count; begin += scene.rows_at_once) {
    const DistractedBatch distracted =
        run_distracted(scene, part_of(draw, begin, std::min(count, begin + scene.rows_at_once)));
    const torch::Tensor loss =
        kl_divergences(distracted.batch.base_logits, distracted.student, options.temperature).sum() * share;
    term.value += loss.item<double>();
    add_gradients(term.gradients,
                  torch::autograd::grad({loss}, leaves_of(scene.model), {}, false, false, true));
  }
  term.gradient_norm = gradient_norm(term.gradients);
  return term;
}

}  // namespace trainer
