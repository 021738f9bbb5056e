// R6 of run_check.hpp: what the lines of history.jsonl say of one another, and of config.json.
#pragma once

#include <cstdint>
#include <vector>

#include "common/json.hpp"
#include "common/sealed/finding.hpp"

namespace trainer {

// `trained_clips`: of subset_indices.json.
void check_history(const std::vector<common::Json>& records, const common::Json& config,
                   std::int64_t trained_clips, common::Findings& findings);

}  // namespace trainer
