// R5 of run_check.hpp: metrics.json is computed again from the other files.
#pragma once

#include <string>
#include <vector>

#include "common/json.hpp"
#include "common/sealed/finding.hpp"
#include "trainer/results/prediction.hpp"

namespace trainer {

struct MetricsSources {
  const common::Json& config;
  const std::vector<Prediction>& predictions;
  const std::vector<common::Json>& history;
};

// `found`: metrics.json as it is. What only tensors know is taken over from it, held against its bounds, and
// named in `not_derived`.
void check_metrics(const common::Json& found, const MetricsSources& sources, common::Findings& findings,
                   std::vector<std::string>& not_derived);

}  // namespace trainer
