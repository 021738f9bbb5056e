#include "trainer/retention/fisher.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/random.hpp"
#include "trainer/retention/ordered_sum.hpp"

namespace trainer {

std::vector<torch::Tensor> mean_squared_gradients(
    std::int64_t samples, const std::vector<torch::Tensor>& leaves, const Compute& compute,
    const std::function<std::vector<torch::Tensor>(std::int64_t)>& sample) {
  OrderedSum squares;
  std::vector<std::function<void()>> tasks;
  for (std::int64_t i = 0; i < samples; ++i) {
    if (!compute.group().takes(static_cast<std::size_t>(i))) continue;
    tasks.emplace_back([&squares, &sample, i, place = tasks.size()] {
      std::vector<torch::Tensor> gradients = sample(i);
      const torch::NoGradGuard no_graph;
      for (torch::Tensor& gradient : gradients)
        if (gradient.defined())
          gradient = gradient.square();  // in fp32: their sum in fp64 is as good as always exact
      squares.add(place, std::move(gradients));
    });
  }
  compute.run(tasks);
  std::vector<torch::Tensor> means = squares.take();
  compute.group().sum(means, leaves);
  for (std::size_t k = 0; k < means.size(); ++k)
    if (means[k].defined()) means[k] = means[k].div_(static_cast<double>(samples)).to(leaves[k].dtype());
  return means;
}

RetentionTerm fisher_penalty(const std::vector<torch::Tensor>& fisher,
                             const std::vector<torch::Tensor>& theta,
                             const std::vector<torch::Tensor>& anchor, double weight) {
  const torch::NoGradGuard no_graph;
  RetentionTerm term;
  term.gradients.resize(theta.size());
  for (std::size_t k = 0; k < fisher.size(); ++k) {
    if (!fisher[k].defined()) continue;
    const torch::Tensor moved = theta[k] - anchor[k];
    term.gradients[k] = fisher[k] * moved * weight;
    term.value += 0.5 * (term.gradients[k] * moved).sum().item<double>();
  }
  term.gradient_norm = gradient_norm(term.gradients);
  return term;
}

void FisherOptions::add_flags(common::Verb& verb, Flags& flags) {
  verb.real("--fisher-weight", flags.weight, common::RealRange::not_negative,
            "Weight the Fisher penalty with this; 0: off")
      .otherwise(
          fmt::format("{} in soft_retention and full_safe, 0 in no_retention", FisherOptions{}.weight));
}

FisherOptions FisherOptions::preset(const std::string& variant) {
  FisherOptions options;
  if (variant == "no_retention") options.weight = 0;
  return options;
}

void FisherOptions::apply(const Flags& flags) { weight = flags.weight.value_or(weight); }

common::Json FisherOptions::json() const {
  return {{"weight", weight}, {"every", every}, {"samples", samples}, {"decay", decay}};
}

MechanismNeeds FisherOptions::needs(std::int64_t /*batch*/) const {
  return {.first_step = std::max<std::int64_t>(every, 2),  // at the start all stands at its anchor
          .questions_a_step = static_cast<double>(samples) / static_cast<double>(every),
          .adapter_copies = 3};  // F, anchor and penalty
}

std::unique_ptr<RetentionMechanism> FisherOptions::make(std::int64_t seed) const {
  return std::make_unique<FisherRetention>(*this, seed);
}

void FisherRetention::anchor(RetentionScene& scene) {
  for (const Parameter& parameter : scene.model.parameters()) {
    names_.push_back(parameter.name);
    anchor_.push_back(parameter.value.detach().clone());
  }
}

void FisherRetention::renew(std::int64_t step, RetentionScene& scene) {
  if (step % options_.every != 0) return;
  const std::string purpose = "fisher/" + std::to_string(step);
  common::Random draws(seed_, purpose);
  std::vector<std::int64_t> questions, clips;
  for (std::int64_t i = 0; i < options_.samples; ++i) {
    questions.push_back(static_cast<std::int64_t>(draws.below(scene.rows.size())));
    clips.push_back(static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(scene.clips.size(0)))));
  }
  const auto sample = [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    return sampled_gradient(scene, questions[at], clips[at], seed_, purpose + "/" + std::to_string(i));
  };
  std::vector<torch::Tensor> fresh =
      mean_squared_gradients(options_.samples, leaves_of(scene.model), scene.compute, sample);
  if (fisher_.empty()) {
    fisher_ = std::move(fresh);
    return;
  }
  for (std::size_t k = 0; k < fisher_.size(); ++k)
    if (fresh[k].defined()) fisher_[k].mul_(options_.decay).add_(fresh[k], 1.0 - options_.decay);
}

RetentionTerm FisherRetention::term(std::int64_t /*step*/, RetentionScene& scene) {
  return fisher_penalty(fisher_, leaves_of(scene.model), anchor_, options_.weight);
}

double FisherRetention::penalty(const SafeModel& model) const {
  return fisher_penalty(fisher_, leaves_of(model), anchor_, options_.weight).value;
}

void FisherRetention::measure(const SafeModel& model, Metrics& metrics) const {
  metrics.fisher_trace = trace();
  metrics.validation.fisher_loss = penalty(model);
}

double FisherRetention::trace() const {
  double sum = 0;
  for (const torch::Tensor& f : fisher_)
    if (f.defined()) sum += f.to(torch::kFloat64).sum().item<double>();
  return sum;
}

std::map<std::string, torch::Tensor> FisherRetention::state() const {
  std::map<std::string, torch::Tensor> tensors;
  for (std::size_t k = 0; k < fisher_.size(); ++k)
    if (fisher_[k].defined()) tensors["fisher." + names_[k]] = fisher_[k];
  return tensors;
}

void FisherRetention::set_state(const std::map<std::string, torch::Tensor>& state) {
  fisher_.clear();
  for (std::size_t k = 0; k < names_.size(); ++k) {
    const auto found = state.find("fisher." + names_[k]);
    if (found == state.end()) continue;
    if (found->second.sizes() != anchor_[k].sizes() || !found->second.is_floating_point())
      throw common::Error(common::ErrorKind::mismatch,
                          "the checkpoint's tensor fisher." + names_[k] +
                              " has another shape than the parameter; start the run "
                              "again without --resume");
    fisher_.resize(names_.size());
    fisher_[k] = found->second.to(anchor_[k].options(), false, true);
  }
}

}  // namespace trainer
