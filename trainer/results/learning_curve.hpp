// learning_curve.jsonl of a run: what was said to some of the questions and clips while the model was
// trained, one line a look. Questions are asked while a trained clip plays; clips are those trained on. All
// else about an item is in predictions.jsonl, which is the last look.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.hpp"
#include "common/sealed/finding.hpp"
#include "common/sealed/folder.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/results/prediction.hpp"

namespace trainer {

// In config.json as "learning_curve": {"every": n, "items": n}; absent where it is never.
struct CurveConfig {
  std::int64_t every = 0;    // steps from one look to the next; 0: never
  std::int64_t items = 200;  // the first questions, and as many clips
  [[nodiscard]] bool is_on() const { return every > 0; }
};
[[nodiscard]] common::Json to_json(const CurveConfig& curve);
[[nodiscard]] CurveConfig curve_in(const common::Json& config);  // of a config.json

struct CurveLook {
  struct Answer {
    std::string id, prediction;
    Maybe kl_to_base;  // nats, of a question
  };
  std::int64_t step = 0;
  std::vector<Answer> questions, clips;
};

// Looks are between two steps: the end of training is none.
[[nodiscard]] bool is_look(const CurveConfig& curve, std::int64_t step, std::int64_t total);

[[nodiscard]] common::Json to_json(const CurveLook& look);
// A format error where a line is no look.
[[nodiscard]] std::vector<CurveLook> parse_curve(std::string_view text);
// Empty where the run has no such file.
[[nodiscard]] std::vector<CurveLook> read_curve(const common::Folder& run);
// Keeps the lines of steps up to `step`; the file is there afterwards.
void cut_curve(const common::Folder& run, std::int64_t step);

// What the look saw, as predictions.jsonl would have it: `predictions` has the items. An answer to none of
// them is a format error.
[[nodiscard]] std::vector<Prediction> predictions_at(const CurveLook& look,
                                                     const std::vector<Prediction>& predictions);

// R10 of run_check.hpp. `steps`: how many history.jsonl has.
void check_curve(const std::vector<CurveLook>& looks, const common::Json& config, std::int64_t steps,
                 const std::vector<Prediction>& predictions, common::Findings& findings);

inline constexpr const char* k_curve_file = "learning_curve.jsonl";

}  // namespace trainer
