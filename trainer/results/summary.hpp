// From items to metrics: metrics.json says nothing about answers that predictions.jsonl does not show, and
// nothing about the steps of training that history.jsonl does not show.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/results/prediction.hpp"

namespace trainer {

// Everything of `conditions`, `audio` and the flat keys that follows from the items of `split`; losses stay
// null. The flat audio keys are those of the memorised clips, or of the held-out ones where nothing else was
// evaluated.
[[nodiscard]] SplitMetrics summarise(const std::vector<Prediction>& items, std::string_view split);

// The original's loss keys of each split, from what was summarised, the KL's weight, and the penalties on the
// trained weights: validation.fisher_loss and "penalty" of `mechanisms`.
void fill_losses(Metrics& metrics, double kl_weight);

// Counts one record of history.jsonl. A mechanism has a column "<name>_gradient_norm" beside its loss, or
// "<name>_removed"; it acted where that is above 0.
void count_activity(std::map<std::string, MechanismActivity>& activity, const common::Json& record);

}  // namespace trainer
