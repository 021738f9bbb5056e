// SAFE: a frozen LLaVA that hears. Base, audio projector and fusion adapter as one value; only the last two
// are trained. Without audio it *is* the base, bit for bit, because it runs the same layers on the same
// numbers. Axes: B rows, L positions, H width, R rows with audio, D width of the audio encoder, N supervised
// positions, V vocabulary.
#pragma once

#include "trainer/model/batch.hpp"
#include "trainer/model/fusion.hpp"
#include "trainer/model/projector.hpp"
#include "trainer/model/vision_language_base.hpp"

namespace trainer {

class SafeModel {
 public:
  // silence [D]: what the audio encoder gives for a silent clip. Weights are drawn on the CPU, so that they
  // start alike on every device, and live where the base does.
  SafeModel(const VisionLanguageBase& base, const torch::Tensor& silence, const ProjectorConfig& projector,
            const FusionConfig& fusion, std::int64_t seed);

  [[nodiscard]] const VisionLanguageBase& base() const { return base_; }
  [[nodiscard]] torch::Device device() const { return base_.placement().device; }
  [[nodiscard]] const torch::Tensor& silence() const { return silence_; }
  Projector& projector() { return projector_; }
  [[nodiscard]] const Projector& projector() const { return projector_; }
  Fusion& fusion() { return fusion_; }
  [[nodiscard]] const Fusion& fusion() const { return fusion_; }

  // clips [R, D] heard by the rows `rows` of a batch, each with its gate.
  [[nodiscard]] AudioInput hear(const torch::Tensor& clips, std::vector<std::int64_t> rows,
                                std::vector<double> gates) const;
  // One clip for each row 0 .. B-1, all at one gate.
  [[nodiscard]] AudioInput hear(const torch::Tensor& clips, double gate) const;

  // Logits at the supervised positions [N, V], from the stored hidden states on.
  [[nodiscard]] torch::Tensor answer_logits(const Batch& batch, const AudioInput& audio) const;
  // The same with the base alone, over the same padding.
  [[nodiscard]] torch::Tensor base_answer_logits(const Batch& batch) const;
  // For generation: every position that is run hears.
  [[nodiscard]] LayerHook hook(const AudioInput& audio) const;

  [[nodiscard]] const std::vector<Parameter>& parameters() const { return parameters_; }
  // What is drawn once and never trained, and the null space's bases; a checkpoint keeps them beside the
  // trained.
  [[nodiscard]] std::map<std::string, torch::Tensor> frozen() const;
  void set_frozen(const std::map<std::string, torch::Tensor>& from);

 private:
  [[nodiscard]] DecoderContext context_of(const Batch& batch) const;
  [[nodiscard]] torch::Tensor run_above(const Batch& batch, const AudioInput& audio) const;

  const VisionLanguageBase& base_;
  torch::Tensor silence_;
  Projector projector_;
  Fusion fusion_;
  std::vector<Parameter> parameters_;
};

}  // namespace trainer
