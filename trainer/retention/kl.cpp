#include "trainer/retention/kl.hpp"

#include <fmt/format.h>

namespace trainer {

torch::Tensor kl_divergences(const torch::Tensor& teacher, const torch::Tensor& student, double temperature) {
  const torch::Tensor log_teacher = torch::log_softmax(teacher.to(torch::kFloat32) / temperature, -1);
  const torch::Tensor log_student = torch::log_softmax(student.to(torch::kFloat32) / temperature, -1);
  return (log_teacher.exp() * (log_teacher - log_student)).sum(-1) * (temperature * temperature);
}

torch::Tensor kl_divergence(const torch::Tensor& teacher, const torch::Tensor& student, double temperature) {
  return kl_divergences(teacher, student, temperature).mean();
}

void KlOptions::add_flags(common::Verb& verb, Flags& flags) {
  verb.real("--kl-weight", flags.weight, common::RealRange::not_negative,
            "Weight the KL divergence from the base with this; 0: off")
      .otherwise(fmt::format("{} in soft_retention and full_safe, 0 in no_retention", KlOptions{}.weight));
  verb.real("--kl-temperature", flags.temperature, common::RealRange::positive,
            "Soften both distributions of the KL divergence with this temperature")
      .otherwise(fmt::format("{}", KlOptions{}.temperature));
}

KlOptions KlOptions::preset(const std::string& variant) {
  KlOptions options;
  if (variant == "no_retention") options.weight = 0;
  return options;
}

void KlOptions::apply(const Flags& flags) {
  weight = flags.weight.value_or(weight);
  temperature = flags.temperature.value_or(temperature);
}

common::Json KlOptions::json() const { return {{"weight", weight}, {"temperature", temperature}}; }

MechanismNeeds KlOptions::needs(std::int64_t batch) const {
  return {.questions_a_step = static_cast<double>(batch), .adapter_copies = 2};
}

std::unique_ptr<RetentionMechanism> KlOptions::make(std::int64_t /*seed*/) const {
  return std::make_unique<KlRetention>(*this);
}

RetentionTerm KlRetention::term(std::int64_t step, RetentionScene& scene) {
  return kl_term(options_, scene.stream.draw(step), scene);
}

RetentionTerm kl_term(const KlOptions& options, const RetentionDraw& draw, RetentionScene& scene) {
  return answer_term(options.weight, draw, scene, [&](const DistractedBatch& asked) {
    return kl_divergences(asked.batch.base_logits, asked.student, options.temperature);
  });
}

}  // namespace trainer
