#include "trainer/retention/null_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "common/error.hpp"
#include "trainer/model/compat.hpp"
#include "trainer/retention/gradient_subspace.hpp"

namespace trainer {
namespace {

struct Moment {
  torch::Tensor sum;  // [in, in] fp64, sum of k k^T
  std::int64_t states = 0;
  // rows [M, in]
  void add(const torch::Tensor& rows) {
    const torch::Tensor k = rows.to(torch::kFloat64);
    sum = sum.defined() ? sum + k.t().mm(k) : k.t().mm(k);
    states += k.size(0);
  }
};

// What the maps are given at the fused positions of the retention questions, while the output map is still
// zero: so the hidden states are the base's.
struct LayerMoments {
  Moment normed;  // of h^, which query and gate see
  Moment gated;   // of what the output map sees
};
struct SceneMoments {
  std::map<std::int64_t, LayerMoments> layers;
  Moment tokens;         // what key and value see
  Moment first, second;  // what the projector's two maps see
};

enum class Hearing { questions_alone, with_clips };

// Question i hears clip i, modulo their number.
torch::Tensor clips_for(const RetentionScene& scene, const std::vector<std::int64_t>& questions) {
  std::vector<std::int64_t> clips;
  for (const std::int64_t question : questions) clips.push_back(question % scene.clips.size(0));
  return pick_rows(scene.clips, clips);
}

void add_audio(const RetentionScene& scene, const torch::Tensor& clips, const torch::Tensor& tokens,
               SceneMoments& moments) {
  moments.tokens.add(tokens.reshape({-1, tokens.size(2)}));
  const Projector::Inputs inputs =
      scene.model.projector().inputs(torch::cat({clips, scene.model.silence().unsqueeze(0)}));
  moments.first.add(inputs.first);
  moments.second.add(inputs.second);
}

void add_questions(const RetentionScene& scene, const std::vector<std::int64_t>& questions, Hearing hearing,
                   SceneMoments& moments) {
  const SafeModel& model = scene.model;
  const Decoder& decoder = model.base().decoder();
  const std::int64_t first = model.fusion().first_layer();
  const Batch batch = batch_of(scene, questions);
  torch::Tensor tokens;
  if (hearing == Hearing::with_clips) {
    const torch::Tensor clips = clips_for(scene, questions);
    tokens = model.hear(clips, 1.0).tokens;
    add_audio(scene, clips, tokens, moments);
  }
  const auto collect = [&](std::int64_t layer, const torch::Tensor& hidden) {
    const auto block = model.fusion().blocks().find(layer);
    if (block == model.fusion().blocks().end()) return hidden;
    const torch::Tensor states = hidden.to(torch::kFloat32);
    LayerMoments& here = moments.layers[layer];
    here.normed.add(rms_normed(states).index({batch.valid}));
    if (tokens.defined()) here.gated.add(block->second.inputs(states, tokens).gated.index({batch.valid}));
    return hidden;
  };
  const std::int64_t last = model.fusion().blocks().rbegin()->first;
  (void)decoder.run_layers(collect(first, batch.hidden), first + 1, last + 1,
                           decoder.context(batch.valid, 0, batch.prefix), collect);
}

// Every moment, of those layers.
std::vector<Moment*> list(SceneMoments& moments, const SafeModel& model) {
  std::vector<Moment*> all = {&moments.tokens, &moments.first, &moments.second};
  for (const auto& [layer, block] : model.fusion().blocks())
    all.insert(all.end(), {&moments.layers[layer].normed, &moments.layers[layer].gated});
  return all;
}

// Adds what process `owner` has in `part`.
void add_part(const RetentionScene& scene, SceneMoments& part, int owner, SceneMoments& sum) {
  std::vector<torch::Tensor> sent;
  std::vector<std::int64_t> states;
  for (const Moment* moment : list(part, scene.model)) {
    sent.push_back(moment->sum);
    states.push_back(moment->states);
  }
  sent.push_back(torch::tensor(states));
  const std::vector<torch::Tensor> parts = scene.compute.group().broadcast(sent, owner);
  const std::vector<Moment*> sums = list(sum, scene.model);
  for (std::size_t k = 0; k < sums.size(); ++k) {
    if (!parts[k].defined()) continue;
    const torch::Tensor added = parts[k].to(scene.model.device());
    sums[k]->sum = sums[k]->sum.defined() ? sums[k]->sum + added : added;
    sums[k]->states += parts.back()[static_cast<std::int64_t>(k)].item<std::int64_t>();
  }
}

// In a fixed number of parts, which are added in their order, so that the sum's bits do not depend on how
// many processes there are.
SceneMoments second_moments(const RetentionScene& scene, Hearing hearing) {
  constexpr std::int64_t k_parts = 16;
  const ProcessGroup& group = scene.compute.group();
  const auto count = static_cast<std::int64_t>(scene.rows.size());
  const std::int64_t passes = (count + scene.rows_at_once - 1) / scene.rows_at_once;
  const std::int64_t rows_a_part = (passes + k_parts - 1) / k_parts * scene.rows_at_once;
  SceneMoments moments;
  for (std::int64_t first = 0; first < count; first += rows_a_part * group.size()) {
    SceneMoments own;
    const std::int64_t begin = first + rows_a_part * group.rank(), end = std::min(count, begin + rows_a_part);
    for (std::int64_t pass = begin; pass < end; pass += scene.rows_at_once) {
      std::vector<std::int64_t> questions;
      for (std::int64_t i = pass; i < std::min(end, pass + scene.rows_at_once); ++i) questions.push_back(i);
      add_questions(scene, questions, hearing, own);
    }
    for (int owner = 0; owner < group.size() && first + rows_a_part * owner < count; ++owner)
      add_part(scene, own, owner, moments);
  }
  return moments;
}

}  // namespace

const std::string& text_of(NullSpacePlacement placement) {
  return k_null_space_placements.at(static_cast<std::size_t>(placement));
}

NullSpacePlacement null_space_placement(const std::string& text) {
  const auto found = std::find(k_null_space_placements.begin(), k_null_space_placements.end(), text);
  ENSURE(found != k_null_space_placements.end());
  return static_cast<NullSpacePlacement>(found - k_null_space_placements.begin());
}

void NullSpaceOptions::add_flags(common::Verb& verb, Flags& flags) {
  const NullSpaceOptions options;
  verb.text("--null-space", flags.placement, "Protect these maps by a null space")
      .otherwise("gate in full_safe, else off")
      .choices({{"off", "nothing"},
                {"gate", "the gate's map"},
                {"query", "the query maps"},
                {"output", "the output maps"},
                {"all", "every map but the gate"},
                {"gradient", "no map, but the directions of the answers' gradients"}});
  verb.real("--null-space-energy", flags.energy, common::RealRange::share,
            "Protect this share of the energy of the retention questions' states")
      .otherwise(fmt::format("{}", options.energy));
  verb.whole("--null-space-rank", flags.rank, common::k_whole,
             "Protect at most this many directions; 0: as many as the energy asks for, of gradients 64")
      .otherwise(std::to_string(options.rank_limit));
  verb.whole("--null-space-refresh", flags.refresh, common::k_positive_whole,
             "gradient alone: find the subspace again after this many steps")
      .otherwise(std::to_string(options.refresh));
  verb.whole("--null-space-min-samples", flags.min_samples, common::k_positive_whole,
             "Refuse to build a null space from fewer retention questions")
      .otherwise(std::to_string(options.row_minimum));
}

NullSpaceOptions NullSpaceOptions::preset(const std::string& variant) {
  NullSpaceOptions options;
  if (variant != "full_safe") options.placement = NullSpacePlacement::off;
  return options;
}

void NullSpaceOptions::apply(const Flags& flags) {
  if (flags.placement) placement = null_space_placement(*flags.placement);
  energy = flags.energy.value_or(energy);
  rank_limit = flags.rank.value_or(rank_limit);
  refresh = flags.refresh.value_or(refresh);
  row_minimum = flags.min_samples.value_or(row_minimum);
}

common::Json NullSpaceOptions::json() const {
  common::Json json = {{"placement", text_of(placement)},
                       {"energy", energy},
                       {"rank_limit", rank_limit},
                       {"row_minimum", row_minimum}};
  if (placement == NullSpacePlacement::gradient) json["refresh"] = refresh;
  return json;
}

MechanismNeeds NullSpaceOptions::needs(std::int64_t /*batch*/) const {
  // Gate and query have no gradient before the output map has moved.
  const bool waits = placement == NullSpacePlacement::gate || placement == NullSpacePlacement::query;
  MechanismNeeds needs{
      .first_step = waits ? 2 : 1, .questions = row_minimum, .questions_flag = "--null-space-min-samples"};
  if (placement == NullSpacePlacement::gradient) {
    constexpr std::int64_t k_samples = GradientSubspaceRetention::k_samples;
    needs.questions_a_step = static_cast<double>(k_samples) / static_cast<double>(refresh);
    // The subspace, fresh gradients one by one and as a matrix, and the weights before an update.
    needs.adapter_copies =
        (rank_limit > 0 ? rank_limit : GradientSubspaceRetention::k_rank) + 2 * k_samples + 1;
  } else {
    // A map's second moment, and what is taken out of its gradients: of a pass, and their sum.
    needs.layer_squares = placement == NullSpacePlacement::all ? 12 : 3;
  }
  return needs;
}

std::unique_ptr<RetentionMechanism> NullSpaceOptions::make(std::int64_t seed) const {
  if (placement == NullSpacePlacement::gradient)
    return std::make_unique<GradientSubspaceRetention>(*this, seed);
  return std::make_unique<NullSpaceRetention>(*this);
}

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

void require_rows(const RetentionScene& scene, std::int64_t minimum) {
  if (static_cast<std::int64_t>(scene.rows.size()) < minimum)
    throw common::Error(common::ErrorKind::mismatch,
                        "the null space needs " + std::to_string(minimum) +
                            " retention questions and the run has " + std::to_string(scene.rows.size()) +
                            "; give it more (--retention-size, or a larger retention_manifest.json in the "
                            "pack), or lower --null-space-min-samples");
}

void NullSpaceRetention::reparametrise(RetentionScene& scene) {
  const torch::NoGradGuard no_graph;
  require_rows(scene, options_.row_minimum);
  const NullSpacePlacement placement = options_.placement;
  const bool questions_alone =
      placement == NullSpacePlacement::gate || placement == NullSpacePlacement::query;
  const SceneMoments moments =
      second_moments(scene, questions_alone ? Hearing::questions_alone : Hearing::with_clips);
  maps_.clear();
  const torch::Device device = scene.model.device();
  const auto protect = [&](const char* map, std::optional<std::int64_t> layer, AdapterLinear& linear,
                           const Moment& moment) {
    maps_.push_back(
        {map, layer, &linear, span_of(moment.sum, moment.states, options_.energy, options_.rank_limit)});
    linear.protect(maps_.back().subspace.basis.to(device), placement == NullSpacePlacement::gate
                                                               ? AdapterLinear::Anchor::zero
                                                               : AdapterLinear::Anchor::here);
  };
  const bool everything = placement == NullSpacePlacement::all;
  if (everything) {
    protect("linear_1", {}, scene.model.projector().linear1(), moments.first);
    protect("linear_2", {}, scene.model.projector().linear2(), moments.second);
  }
  for (auto& [layer, block] : scene.model.fusion().blocks()) {
    const LayerMoments& here = moments.layers.at(layer);
    if (placement == NullSpacePlacement::gate) protect("gate", layer, block.gate(), here.normed);
    if (everything || placement == NullSpacePlacement::query)
      protect("query", layer, block.query(), here.normed);
    if (everything) protect("key", layer, block.key(), moments.tokens);
    if (everything) protect("value", layer, block.value(), moments.tokens);
    if (everything || placement == NullSpacePlacement::output)
      protect("output", layer, block.output(), here.gated);
  }
}

std::vector<torch::Tensor> NullSpaceRetention::watched() const {
  std::vector<torch::Tensor> probes;
  for (const ProtectedMap& map : maps_) probes.push_back(map.linear->probe());
  return probes;
}

void NullSpaceRetention::see_task(const std::vector<torch::Tensor>& task,
                                  const std::vector<torch::Tensor>& watched, const SafeModel& model) {
  const std::vector<torch::Tensor> leaves = leaves_of(model);
  std::vector<torch::Tensor> kept;  // G - G U U^T, which is orthogonal to what is removed
  for (const ProtectedMap& map : maps_)
    for (std::size_t k = 0; k < leaves.size(); ++k)
      if (leaves[k].is_same(map.linear->protected_leaf())) kept.push_back(task[k]);
  ENSURE(kept.size() == maps_.size());
  const double inside = gradient_norm(watched), whole = std::hypot(inside, gradient_norm(kept));
  removed_ = whole > 0 ? inside / whole : 0;
}

void NullSpaceRetention::measure(const SafeModel& /*model*/, Metrics& metrics) const {
  for (const ProtectedMap& map : maps_) {
    const NullSpaceState state = measure_null_space(*map.linear, map.subspace);
    NullSpaceMetrics one;
    one.map = map.map;
    one.layer = map.layer;
    one.rank = map.subspace.basis.size(1);
    one.width = map.subspace.basis.size(0);
    one.rows = map.subspace.states;
    one.energy = map.subspace.energy;
    one.leak = state.leak;
    one.certificate = state.certificate;
    one.measured_drift = state.drift;
    metrics.null_space.push_back(one);
  }
}

NullSpaceState measure_null_space(const AdapterLinear& map, const Subspace& subspace) {
  const torch::NoGradGuard no_graph;
  const torch::Tensor basis = subspace.basis.to(torch::kFloat64);
  const torch::Tensor delta = map.delta().to(torch::kCPU, torch::kFloat64);
  NullSpaceState state;
  const double size = delta.norm().item<double>();
  state.leak = size > 0 ? delta.mm(basis).norm().item<double>() / size : 0;
  state.drift = (delta.mm(subspace.second_moment) * delta).sum().item<double>();
  state.certificate = size * size * subspace.next_eigenvalue;
  return state;
}

}  // namespace trainer
