// How wide the trained gate opens, and for what: at each fused layer, over all positions that hear, on
// retention questions (each with a training clip that has nothing to do with it) and on the training clips'
// captions. A gate that keeps vision-language skill opens for the second and not for the first.
#pragma once

#include <vector>

#include "trainer/model/safe_model.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/train/experiment.hpp"

namespace trainer {

// Of the model as it is, the states that its own fused layers below have changed. `rows_at_once`: of a pass.
[[nodiscard]] std::vector<GateMetrics> measure_gate(const Experiment& experiment, const SafeModel& model,
                                                    std::int64_t rows_at_once);

}  // namespace trainer
