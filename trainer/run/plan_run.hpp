// `safe-trainer plan`: opens the pack as a run would, and computes nothing.
#pragma once

#include <string>
#include <vector>

#include "trainer/run/plan.hpp"

namespace trainer {

struct PlannedRun {
  PlanInputs inputs;
  Plan plan;
  std::vector<std::string> refusals;  // why `run` would not begin; empty where it would
};
[[nodiscard]] PlannedRun plan_run(RunConfig config);

}  // namespace trainer
