// What a run needs so that every mechanism that is switched on can act: known from the pack and the settings,
// and so refused before anything is encoded.
#pragma once

#include "trainer/train/config.hpp"
#include "trainer/train/experiment.hpp"

namespace trainer {

// Throws mismatch where a mechanism has no retention questions, or too few; or where training ends before it
// could change anything. The learning rate of the last step is 0, so that step does not count.
void require_mechanisms_can_act(const RunConfig& config, const Selection& selection);

}  // namespace trainer
