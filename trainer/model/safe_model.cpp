#include "trainer/model/safe_model.hpp"

#include <numeric>

#include "trainer/model/frozen_layers.hpp"

namespace trainer {
namespace {

constexpr std::int64_t k_checkpointed_positions = 256;

}  // namespace

SafeModel::SafeModel(const VisionLanguageBase& base, const torch::Tensor& silence,
                     const ProjectorConfig& projector, const FusionConfig& fusion, std::int64_t seed)
    : base_(base),
      silence_(silence.to(base.placement().device)),
      projector_(projector, seed),
      fusion_(fusion, seed) {
  projector_.move_to(device());
  fusion_.move_to(device());
  parameters_ = projector_.parameters();
  for (Parameter& parameter : fusion_.parameters()) parameters_.push_back(std::move(parameter));
}

std::map<std::string, torch::Tensor> SafeModel::frozen() const {
  std::map<std::string, torch::Tensor> all = projector_.frozen();
  all.merge(fusion_.frozen());
  return all;
}

void SafeModel::set_frozen(const std::map<std::string, torch::Tensor>& from) {
  projector_.set_frozen(from);
  fusion_.set_frozen(from);
}

AudioInput SafeModel::hear(const torch::Tensor& clips, std::vector<std::int64_t> rows,
                           std::vector<double> gates) const {
  return {std::move(rows), projector_.tokens(clips, silence_), std::move(gates)};
}

AudioInput SafeModel::hear(const torch::Tensor& clips, double gate) const {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(clips.size(0)));
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<double> gates(rows.size(), gate);
  return hear(clips, std::move(rows), std::move(gates));
}

torch::Tensor SafeModel::run_above(const Batch& batch, const AudioInput& audio) const {
  const Decoder& decoder = base_.decoder();
  const DecoderContext context = context_of(batch);
  // With a prefix few positions have a graph; without one all of an image's may.
  const bool is_long = batch.hidden.size(1) > k_checkpointed_positions;
  torch::Tensor hidden = fusion_.fuse(fusion_.first_layer(), batch.hidden, audio);
  std::int64_t done = fusion_.first_layer() + 1;
  for (const auto& [layer, block] : fusion_.blocks()) {
    if (layer < done) continue;
    hidden = run_frozen(decoder, hidden, done, layer + 1, context, is_long ? Recall::inputs : Recall::traces);
    hidden = block.fuse(hidden, audio);
    done = layer + 1;
  }
  hidden =
      run_frozen(decoder, hidden, done, decoder.layers(), context, is_long ? Recall::inputs : Recall::traces);
  // A last layer that is fused gives all positions.
  return hidden.dim() == 2 ? hidden : hidden.reshape({-1, hidden.size(2)}).index_select(0, batch.supervised);
}

DecoderContext SafeModel::context_of(const Batch& batch) const {
  DecoderContext context = base_.decoder().context(batch.valid, 0, batch.prefix);
  if (fusion_.blocks().rbegin()->first + 1 < base_.decoder().layers()) context.wanted = batch.supervised;
  return context;
}

torch::Tensor SafeModel::answer_logits(const Batch& batch, const AudioInput& audio) const {
  return base_.decoder().logits(run_above(batch, audio));
}

torch::Tensor SafeModel::base_answer_logits(const Batch& batch) const {
  const Decoder& decoder = base_.decoder();
  const torch::Tensor last =
      decoder.run_layers(batch.hidden, fusion_.first_layer() + 1, decoder.layers(), context_of(batch));
  return decoder.logits(last.dim() == 2 ? last
                                        : last.reshape({-1, last.size(2)}).index_select(0, batch.supervised));
}

LayerHook SafeModel::hook(const AudioInput& audio) const {
  return [this, audio](std::int64_t layer, const torch::Tensor& hidden) {
    return fusion_.fuse(layer, hidden, audio);
  };
}

}  // namespace trainer
