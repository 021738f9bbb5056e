// The training loop: audio captions with cross-entropy, and whatever retention mechanisms are switched on.
#pragma once

#include <memory>

#include "trainer/model/compute.hpp"
#include "trainer/results/run_directory.hpp"
#include "trainer/train/checkpoint.hpp"
#include "trainer/train/config.hpp"
#include "trainer/train/experiment.hpp"

namespace trainer {

struct TrainingResult {
  std::int64_t steps = 0;
  std::map<std::string, MechanismActivity> activity;  // by mechanism
};

// Looks at the model between two steps.
class TrainingWatch {
 public:
  TrainingWatch() = default;
  virtual ~TrainingWatch() = default;
  TrainingWatch(const TrainingWatch&) = delete;
  TrainingWatch& operator=(const TrainingWatch&) = delete;
  // After `step` of `total`, and not done yet: the same in all processes of a group.
  [[nodiscard]] virtual bool is_due(std::int64_t step, std::int64_t total) const = 0;
  // Throws Error{interrupted}, in all of them, where one was asked to stop; it is due still.
  virtual void look(std::int64_t step) = 0;
};

[[nodiscard]] Mechanisms make_mechanisms(const RunConfig& config);

// Trains `model`, from `checkpoint` on where there is one, and leaves history.jsonl and checkpoints/ in the
// run, which is null but in the first process of a group. All of them hold the same adapter after every step.
// `watch`, where there is one, sees the model between two steps; it changes nothing.
// Throws Error{stopped} in all once a signal has come to one and the state is saved; mismatch where the loss
// is no longer finite, or where an enabled mechanism never acted.
TrainingResult train(const RunConfig& config, Experiment& experiment, SafeModel& model,
                     Mechanisms& mechanisms, RunDirectory* run, const std::string& config_digest,
                     const Compute& compute, const std::optional<Checkpoint>& checkpoint,
                     TrainingWatch* watch = nullptr);

}  // namespace trainer
