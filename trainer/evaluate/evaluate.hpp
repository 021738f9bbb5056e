// What a trained model says, question by question and clip by clip, beside what the base alone says to the
// same. Decoding is greedy and sees no reference. Every comparison is over the same batches and padding.
#pragma once

#include "trainer/evaluate/answer_log.hpp"
#include "trainer/model/safe_model.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/results/prediction.hpp"
#include "trainer/train/config.hpp"
#include "trainer/train/experiment.hpp"

namespace trainer {

struct Evaluation {
  std::vector<Prediction> predictions;
  // Logits of SAFE without audio against the base's, every bit, over all questions asked; nothing if none
  // were.
  std::optional<bool> bit_equal_without_audio;
};

// Asks the validation questions under every condition of the configuration, and captions the memorised and
// held-out clips. `split` names the predictions ("validation"). What `log` has is not asked again.
[[nodiscard]] Evaluation evaluate(const RunConfig& config, const Experiment& experiment,
                                  const SafeModel& model, const Compute& compute, AnswerLog& log);

// The first `train_batches` batches of the training clips, as split "training".
[[nodiscard]] std::vector<Prediction> evaluate_training(const RunConfig& config, const Experiment& experiment,
                                                        const SafeModel& model, const Compute& compute,
                                                        AnswerLog& log);

// The first `items` of the validation questions, while the clips play that `evaluate` lets play, and as many
// memorised clips.
[[nodiscard]] std::vector<Prediction> evaluate_some(const RunConfig& config, const Experiment& experiment,
                                                    const SafeModel& model, const Compute& compute,
                                                    std::int64_t items);

}  // namespace trainer
