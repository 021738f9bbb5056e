// What training writes down: history.jsonl and checkpoints/ of the run. Of several processes the first does;
// the others have no run, and record nothing.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "trainer/results/run_directory.hpp"
#include "trainer/train/checkpoint.hpp"

namespace trainer {

class TrainingRecord {
 public:
  // `run` outlives it, or is null. What the history has beyond `checkpoint` is cut off.
  TrainingRecord(RunDirectory* run, std::string config_digest, const std::optional<Checkpoint>& checkpoint);
  void append(const common::Json& step);
  void save(std::int64_t step, const SafeModel& model, const AdamW& optimiser, const Mechanisms& mechanisms);
  // From the history, so that a resumed run counts what happened before it was stopped too. By mechanism.
  [[nodiscard]] std::map<std::string, MechanismActivity> activity_of(const Mechanisms& mechanisms) const;

 private:
  RunDirectory* run_;
  std::string config_digest_;
  std::optional<JsonLines> history_;
};

}  // namespace trainer
