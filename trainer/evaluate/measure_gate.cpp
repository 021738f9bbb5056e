#include "trainer/evaluate/measure_gate.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "trainer/model/compat.hpp"

namespace trainer {
namespace {

struct Sums {
  double squares = 0, openings = 0;  // of Wg h^, of |tanh(Wg h^)|
  double energy = 0, outside = 0;    // |h^|^2, and of its part outside U
  double numbers = 0;                // added up in the first two
};
using LayerSums = std::map<std::int64_t, Sums>;

// normed [M, H], what the gate of one layer is given.
void add_states(const AdapterLinear& gate, const torch::Tensor& normed, Sums& sums) {
  const torch::Tensor argument = gate(normed);
  const auto sum_of = [](const torch::Tensor& x) { return x.to(torch::kFloat64).sum().item<double>(); };
  sums.squares += sum_of(argument.pow(2));
  sums.openings += sum_of(torch::tanh(argument).abs());
  sums.numbers += static_cast<double>(argument.numel());
  sums.energy += sum_of(normed.pow(2));
  if (gate.basis().defined())
    sums.outside += sum_of((normed - normed.mm(gate.basis()).mm(gate.basis().t())).pow(2));
}

// One batch through the trained model, up to its last fused layer.
void add_batch(const SafeModel& model, const Batch& batch, const AudioInput& audio, LayerSums& sums) {
  const Decoder& decoder = model.base().decoder();
  const std::int64_t first = model.fusion().first_layer(), last = model.fusion().blocks().rbegin()->first;
  const auto hear = [&](std::int64_t layer, const torch::Tensor& hidden) {
    const auto block = model.fusion().blocks().find(layer);
    if (block == model.fusion().blocks().end()) return hidden;
    add_states(block->second.gate(), rms_normed(hidden.to(torch::kFloat32)).index({batch.valid}),
               sums[layer]);
    return block->second.fuse(hidden, audio);
  };
  (void)decoder.run_layers(hear(first, batch.hidden), first + 1, last + 1,
                           decoder.context(batch.valid, 0, batch.prefix), hear);
}

// `count` rows in passes of `at_once`: what = {begin, ..., end - 1}.
template <typename Pass>
void for_each_pass(std::size_t count, std::int64_t at_once, const Pass& pass) {
  for (std::size_t begin = 0; begin < count; begin += static_cast<std::size_t>(at_once)) {
    std::vector<std::int64_t> rows;
    for (std::size_t i = begin; i < std::min(count, begin + static_cast<std::size_t>(at_once)); ++i)
      rows.push_back(static_cast<std::int64_t>(i));
    pass(rows);
  }
}

LayerSums sums_of_questions(const Experiment& experiment, const SafeModel& model, std::int64_t at_once) {
  LayerSums sums;
  for_each_pass(experiment.retention_rows.size(), at_once, [&](const std::vector<std::int64_t>& questions) {
    const std::vector<const EncodedRow*> rows = pick(experiment.retention_rows, questions);
    std::vector<std::int64_t> clips;
    for (const std::int64_t question : questions)
      clips.push_back(question % experiment.train.vectors.size(0));
    const Batch batch = make_batch(
        rows, experiment.retention_prefixes.gather(model.base(), prefixes_of(rows)), model.device());
    add_batch(model, batch, model.hear(pick_rows(experiment.train.vectors, clips), 1.0), sums);
  });
  return sums;
}

LayerSums sums_of_captions(const Experiment& experiment, const SafeModel& model, std::int64_t at_once) {
  LayerSums sums;
  for_each_pass(experiment.train_rows.size(), at_once, [&](const std::vector<std::int64_t>& captions) {
    std::vector<std::int64_t> clips;
    for (const std::int64_t caption : captions)
      clips.push_back(experiment.train_clips[static_cast<std::size_t>(caption)]);
    const Batch batch = make_batch(pick(experiment.train_rows, captions), nullptr, model.device());
    add_batch(model, batch, model.hear(pick_rows(experiment.train.vectors, clips), 1.0), sums);
  });
  return sums;
}

GateOpening opening_of(const Sums& sums, bool has_basis) {
  GateOpening opening;
  if (sums.numbers == 0) return opening;
  opening.rms = std::sqrt(sums.squares / sums.numbers);
  opening.mean = sums.openings / sums.numbers;
  if (has_basis && sums.energy > 0) opening.outside = sums.outside / sums.energy;
  return opening;
}

}  // namespace

std::vector<GateMetrics> measure_gate(const Experiment& experiment, const SafeModel& model,
                                      std::int64_t rows_at_once) {
  const torch::NoGradGuard no_graph;
  LayerSums questions = sums_of_questions(experiment, model, rows_at_once),
            captions = sums_of_captions(experiment, model, rows_at_once);
  std::vector<GateMetrics> all;
  for (const auto& [layer, block] : model.fusion().blocks()) {
    const bool has_basis = block.gate().basis().defined();
    all.push_back({layer, opening_of(questions[layer], has_basis), opening_of(captions[layer], has_basis)});
  }
  return all;
}

}  // namespace trainer
