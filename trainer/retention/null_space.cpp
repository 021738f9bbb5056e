#include "trainer/retention/null_space.hpp"

#include <algorithm>
#include <map>

#include "common/error.hpp"

namespace trainer {
namespace {

// Sum of h^ h^T over the fused positions of the retention questions, at each fused layer of the base alone.
std::map<std::int64_t, std::pair<torch::Tensor, std::int64_t>> second_moments(RetentionScene& scene) {
  constexpr std::int64_t k_rows = 32;
  const SafeModel& model = scene.model;
  const Decoder& decoder = model.base().decoder();
  const std::int64_t first = model.fusion().first_layer();
  std::map<std::int64_t, std::pair<torch::Tensor, std::int64_t>> moments;
  const auto count = static_cast<std::int64_t>(scene.rows.size());
  for (std::int64_t begin = 0; begin < count; begin += k_rows) {
    std::vector<std::int64_t> which;
    for (std::int64_t i = begin; i < std::min(count, begin + k_rows); ++i) which.push_back(i);
    const Batch batch = make_batch(scene.rows, which, model.fusion().config().positions);
    const auto collect = [&](std::int64_t layer, const torch::Tensor& hidden) {
      if (model.fusion().blocks().count(layer) != 0) {
        const torch::Tensor heard =
            rms_normed(hidden.to(torch::kFloat32)).index({batch.fused}).to(torch::kFloat64);
        auto& [sum, states] = moments[layer];
        sum = sum.defined() ? sum + heard.t().mm(heard) : heard.t().mm(heard);
        states += heard.size(0);
      }
      return hidden;
    };
    (void)decoder.run_layers(collect(first, batch.hidden), first + 1, decoder.layers(),
                             decoder.context(batch.valid), collect);
  }
  return moments;
}

}  // namespace

Subspace span_of(const torch::Tensor& second_moment, std::int64_t states, double energy,
                 std::int64_t rank_limit) {
  const auto [ascending, vectors] = torch::linalg_eigh(second_moment.to(torch::kCPU, torch::kFloat64), "L");
  const torch::Tensor eigenvalues = ascending.flip(0).clamp_min(0);  // descending
  const double total = eigenvalues.sum().item<double>();
  const std::int64_t width = eigenvalues.size(0);
  std::int64_t rank = 0;
  double held = 0;
  while (rank < width && (rank_limit == 0 || rank < rank_limit) && held < energy * total)
    held += eigenvalues[rank++].item<double>();
  Subspace subspace;
  subspace.basis = vectors.flip(1).slice(1, 0, rank).to(torch::kFloat32).contiguous();
  subspace.second_moment = second_moment.to(torch::kCPU, torch::kFloat64);
  subspace.states = states;
  subspace.energy = total > 0 ? held / total : 0;
  subspace.next_eigenvalue = rank < width ? eigenvalues[rank].item<double>() : 0;
  return subspace;
}

void NullSpaceRetention::prepare(RetentionScene& scene) {
  const torch::NoGradGuard no_graph;
  if (static_cast<std::int64_t>(scene.rows.size()) < options_.row_minimum)
    throw common::Error(common::ErrorKind::mismatch,
                        "the null space needs " + std::to_string(options_.row_minimum) +
                            " retention questions and the pack has " + std::to_string(scene.rows.size()) +
                            "; build the pack with a larger retention_manifest.json or lower "
                            "--null-space-min-samples");
  layers_.clear();
  for (auto& [layer, moment] : second_moments(scene)) {
    layers_.push_back({layer, span_of(moment.first, moment.second, options_.energy, options_.rank_limit)});
    FusionBlock& block = scene.model.fusion().blocks().at(layer);
    const torch::Tensor basis =
        layers_.back().subspace.basis.to(scene.model.parameters().front().value.device());
    if (options_.placement == NullSpacePlacement::gate)
      block.gate().protect(basis, AdapterLinear::Anchor::zero);
    else
      block.query().protect(basis, AdapterLinear::Anchor::here);
  }
}

const AdapterLinear& NullSpaceRetention::protected_map(const SafeModel& model, std::int64_t layer) const {
  const FusionBlock& block = model.fusion().blocks().at(layer);
  return options_.placement == NullSpacePlacement::gate ? block.gate() : block.query();
}

RetentionTerm NullSpaceRetention::term(std::int64_t /*step*/, RetentionScene& scene) {
  const torch::NoGradGuard no_graph;
  const NullSpaceLayer& first = layers_.front();
  const AdapterLinear& map = protected_map(scene.model, first.layer);
  RetentionTerm term;
  term.value = map.raw_delta().mm(map.basis()).norm().item<double>();
  term.gradient_norm = term.value;
  return term;
}

NullSpaceState measure_null_space(const AdapterLinear& map, const Subspace& subspace) {
  const torch::NoGradGuard no_graph;
  const torch::Tensor basis = subspace.basis.to(torch::kFloat64);
  const torch::Tensor delta = map.delta().to(torch::kCPU, torch::kFloat64);
  NullSpaceState state;
  const double size = delta.norm().item<double>();
  state.removed = map.raw_delta().to(torch::kCPU, torch::kFloat64).mm(basis).norm().item<double>();
  state.leak = size > 0 ? delta.mm(basis).norm().item<double>() / size : 0;
  state.drift = (delta.mm(subspace.second_moment) * delta).sum().item<double>();
  state.certificate = size * size * subspace.next_eigenvalue;
  return state;
}

NullSpaceState NullSpaceRetention::measure(const SafeModel& model, const NullSpaceLayer& layer) const {
  return measure_null_space(protected_map(model, layer.layer), layer.subspace);
}

}  // namespace trainer
