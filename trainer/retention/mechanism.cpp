#include "trainer/retention/mechanism.hpp"

#include <algorithm>
#include <cmath>

#include "trainer/model/compat.hpp"

namespace trainer {

void prepare(const Mechanisms& mechanisms, RetentionScene& scene) {
  for (const auto& mechanism : mechanisms) mechanism->reparametrise(scene);
  for (const auto& mechanism : mechanisms) mechanism->anchor(scene);
}

double gradient_norm(const std::vector<torch::Tensor>& gradients) {
  double squares = 0;
  for (const torch::Tensor& gradient : gradients)
    if (gradient.defined()) squares += gradient.detach().to(torch::kFloat64).pow(2).sum().item<double>();
  return std::sqrt(squares);
}

void add_gradients(std::vector<torch::Tensor>& sums, const std::vector<torch::Tensor>& gradients) {
  sums.resize(gradients.size());
  for (std::size_t k = 0; k < gradients.size(); ++k) {
    if (!gradients[k].defined()) continue;
    if (sums[k].defined())
      sums[k].add_(gradients[k]);
    else
      sums[k] = gradients[k].to(torch::kFloat64, /*non_blocking=*/false, /*copy=*/true);
  }
}

RetentionDraw part_of(const RetentionDraw& draw, std::int64_t begin, std::int64_t end) {
  return {{draw.questions.begin() + begin, draw.questions.begin() + end},
          {draw.clips.begin() + begin, draw.clips.begin() + end}};
}

Batch batch_of(const RetentionScene& scene, const std::vector<std::int64_t>& questions) {
  const std::vector<const EncodedRow*> rows = pick(scene.rows, questions);
  return make_batch(rows, scene.prefixes.gather(scene.model.base(), prefixes_of(rows)), scene.model.device());
}

DistractedBatch run_distracted(RetentionScene& scene, const RetentionDraw& draw) {
  DistractedBatch result;
  result.batch = batch_of(scene, draw.questions);
  const torch::Tensor clips = pick_rows(scene.clips, draw.clips);
  result.student = scene.model.answer_logits(result.batch, scene.model.hear(clips, 1.0));
  return result;
}

RetentionTerm answer_term(double weight, const RetentionDraw& draw, RetentionScene& scene,
                          const std::function<torch::Tensor(const DistractedBatch&)>& loss) {
  const auto count = static_cast<std::int64_t>(draw.questions.size());
  RetentionTerm term;
  std::int64_t positions = 0;
  for (const std::int64_t question : draw.questions)
    positions += answer_length(scene.rows[static_cast<std::size_t>(question)].row);
  const double share = weight / static_cast<double>(positions);
  const ProcessGroup& group = scene.compute.group();
  term.of = RetentionTerm::Of::own_passes;
  const auto processes = static_cast<std::size_t>(group.size());
  std::size_t pass = 0;
  for (std::int64_t begin = 0; begin < count; begin += scene.rows_at_once) {
    // From the last process on, since the passes over captions begin with the first.
    if (!group.takes(processes - 1 - pass++ % processes)) continue;
    const DistractedBatch asked =
        run_distracted(scene, part_of(draw, begin, std::min(count, begin + scene.rows_at_once)));
    const torch::Tensor part = loss(asked).sum() * share;
    term.value += part.item<double>();
    add_gradients(term.gradients,
                  torch::autograd::grad({part}, leaves_of(scene.model), {}, false, false, true));
  }
  term.gradient_norm = gradient_norm(term.gradients);
  return term;
}

std::vector<torch::Tensor> sampled_gradient(RetentionScene& scene, std::int64_t question, std::int64_t clip,
                                            std::int64_t seed, const std::string& purpose) {
  at::Generator labels = make_generator(seed, purpose);
  const torch::Tensor student = run_distracted(scene, {{question}, {clip}}).student;
  const torch::Tensor log_p = torch::log_softmax(student, -1);  // [n, V]
  const torch::Tensor drawn = torch::multinomial(log_p.detach().exp().to(torch::kCPU), 1, false, labels);
  const torch::Tensor nll = at::nll_loss(log_p, drawn.squeeze(1).to(log_p.device()), {}, at::Reduction::Sum);
  return torch::autograd::grad({nll / -std::sqrt(static_cast<double>(log_p.size(0)))}, leaves_of(scene.model),
                               {}, false, false, true);
}

std::vector<torch::Tensor> leaves_of(const SafeModel& model) {
  std::vector<torch::Tensor> leaves;
  for (const Parameter& parameter : model.parameters()) leaves.push_back(parameter.value);
  return leaves;
}

}  // namespace trainer
