// Writes learning_curve.jsonl while a model is trained.
#pragma once

#include <optional>

#include "trainer/model/compute.hpp"
#include "trainer/model/safe_model.hpp"
#include "trainer/results/run_directory.hpp"
#include "trainer/train/config.hpp"
#include "trainer/train/experiment.hpp"
#include "trainer/train/train.hpp"

namespace trainer {

class CurveWatch : public TrainingWatch {
 public:
  // `run` is that of the first process, and null in the others; what its file has beyond `trained_steps` is
  // cut off. An io error where looks before that are not there. All arguments outlive it.
  CurveWatch(const RunConfig& config, const Experiment& experiment, const SafeModel& model,
             const Compute& compute, const RunDirectory* run, std::int64_t trained_steps);
  [[nodiscard]] bool is_due(std::int64_t step, std::int64_t total) const override;
  void look(std::int64_t step) override;
  [[nodiscard]] double seconds() const { return seconds_; }  // that the looks took

 private:
  const RunConfig& config_;
  const Experiment& experiment_;
  const SafeModel& model_;
  const Compute& compute_;
  std::int64_t last_step_ = 0;  // that was looked at
  double seconds_ = 0;
  std::optional<JsonLines> lines_;
};

}  // namespace trainer
