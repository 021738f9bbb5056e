// `safe-trainer plan`: opens the pack as a run would, and computes nothing.
#pragma once

#include "trainer/run/plan.hpp"

namespace trainer {

struct PlannedRun {
  PlanInputs inputs;
  Plan plan;
};
[[nodiscard]] PlannedRun plan_run(RunConfig config);

}  // namespace trainer
