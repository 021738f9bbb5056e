#include "trainer/model/safe_model.hpp"

#include <numeric>

namespace trainer {

SafeModel::SafeModel(const Llava& base, const torch::Tensor& silence, const ProjectorConfig& projector,
                     const FusionConfig& fusion, std::int64_t seed)
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
  const LayerHook fuse = hook(audio, batch.fused);
  const std::int64_t first = fusion_.first_layer();
  const torch::Tensor last = decoder.run_layers(fuse(first, batch.hidden), first + 1, decoder.layers(),
                                                decoder.context(batch.valid), fuse);
  return last.reshape({-1, last.size(2)}).index_select(0, batch.supervised);
}

torch::Tensor SafeModel::answer_logits(const Batch& batch, const AudioInput& audio) const {
  return base_.decoder().logits(run_above(batch, audio));
}

torch::Tensor SafeModel::base_answer_logits(const Batch& batch) const {
  const Decoder& decoder = base_.decoder();
  const torch::Tensor last = decoder.run_layers(batch.hidden, fusion_.first_layer() + 1, decoder.layers(),
                                                decoder.context(batch.valid));
  return decoder.logits(last.reshape({-1, last.size(2)}).index_select(0, batch.supervised));
}

LayerHook SafeModel::hook(const AudioInput& audio, const torch::Tensor& fused) const {
  return [this, audio, fused](std::int64_t layer, const torch::Tensor& hidden) {
    // After the prompt, generation runs one position at a time, and each of them is text.
    const bool prompt = hidden.size(1) == fused.size(1);
    return fusion_.fuse(layer, hidden, audio,
                        prompt ? fused : torch::ones_like(fused.slice(1, 0, hidden.size(1))));
  };
}

}  // namespace trainer
