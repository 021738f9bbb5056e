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

[[nodiscard]] Mechanisms make_mechanisms(const RunConfig& config);

// Trains `model`, from `checkpoint` on where there is one, and leaves history.jsonl and checkpoints/ in the
// run, which is null but in the first process of a group. All of them hold the same adapter after every step.
// Throws Error{stopped} in all once a signal has come to one and the state is saved; mismatch where the loss
// is no longer finite, or where an enabled mechanism never acted.
TrainingResult train(const RunConfig& config, Experiment& experiment, SafeModel& model,
                     Mechanisms& mechanisms, RunDirectory* run, const std::string& config_digest,
                     const Compute& compute, const std::optional<Checkpoint>& checkpoint);

}  // namespace trainer
