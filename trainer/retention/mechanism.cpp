#include "trainer/retention/mechanism.hpp"

#include <cmath>

namespace trainer {

double gradient_norm(const std::vector<torch::Tensor>& gradients) {
  double squares = 0;
  for (const torch::Tensor& gradient : gradients)
    if (gradient.defined()) squares += gradient.detach().to(torch::kFloat64).pow(2).sum().item<double>();
  return std::sqrt(squares);
}

DistractedBatch run_distracted(RetentionScene& scene, const RetentionDraw& draw) {
  DistractedBatch result;
  result.batch = make_batch(scene.rows, draw.questions, scene.model.fusion().config().positions);
  const torch::Tensor clips = scene.clips.index_select(0, torch::tensor(draw.clips, torch::kLong));
  result.student = scene.model.answer_logits(result.batch, scene.model.hear(clips, 1.0));
  return result;
}

std::vector<torch::Tensor> leaves_of(const SafeModel& model) {
  std::vector<torch::Tensor> leaves;
  for (const Parameter& parameter : model.parameters()) leaves.push_back(parameter.value);
  return leaves;
}

}  // namespace trainer
