// R3 and R4 of run_check.hpp: what the lines of predictions.jsonl say of one another.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/sealed/finding.hpp"
#include "trainer/results/prediction.hpp"

namespace trainer {

// What the check takes from the other files.
struct PredictionContext {
  std::int64_t seed = 0;
  std::int64_t trained_clips = 0;  // of subset_indices.json
  bool clips_limited = false;      // config.json: not every clip was captioned
  // config.json: questions beyond the stream were asked, and those at every gate; unknown of older runs.
  bool beyond_stream = false;
  std::optional<bool> every_gate;
  std::optional<bool> equal_without_audio;  // metrics.json: bit_equal_without_audio
};

void check_predictions(const std::vector<Prediction>& items, const PredictionContext& context,
                       common::Findings& findings);

}  // namespace trainer
