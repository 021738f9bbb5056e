// One line of predictions.jsonl: one item, under one condition, with what was said and what it scored.
// Everything that metrics.json says about answers can be computed again from these lines, and two runs can be
// compared item by item.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.hpp"
#include "manifest/datasets/scorer.hpp"

namespace trainer {

enum class PredictionKind { vl, audio };

struct Prediction {
  PredictionKind kind = PredictionKind::vl;
  std::string split = "validation";            // or "training"
  std::string condition;                       // vl: is_vl_condition; audio: of k_audio_groups
  std::string id;                              // question_id in decimal, or clip_id
  std::string question;                        // empty for audio
  std::string answer_type;                     // vl: "yes/no", "number", "other"; empty for audio
  std::vector<std::string> references;         // the ten answers, or the captions
  std::string prediction;                      // the answer taken from the generated text
  double score = 0;                            // by scorer_of: VQA accuracy, or token F1
  std::optional<std::string> base_prediction;  // the same item asked of the base without audio
  std::optional<double> base_score;
  std::optional<std::string> shuffled_prediction;  // audio: the same item heard with another clip's sound
  std::optional<double> shuffled_score;
  std::optional<std::string> distractor;  // vl: clip_id of what was heard
  std::optional<double> kl_to_base;       // nats, mean over the answer's positions
  std::optional<double> nll, base_nll;    // nats a token of the first reference, teacher-forced
  // Where it is not usual_scorer of the kind; only then the line has the key.
  std::optional<manifest::Scorer> scorer;
};

// That of VQA v2, and of AudioCaps.
[[nodiscard]] manifest::Scorer usual_scorer(PredictionKind kind);
[[nodiscard]] manifest::Scorer scorer_of(const Prediction& prediction);

// Names an item across runs: "vl/validation/distractor_memorised/387003".
[[nodiscard]] std::string item_key(const Prediction& prediction);

[[nodiscard]] common::Json to_json(const Prediction& prediction);
// `where` is "<file>: line 12" and begins every error.
[[nodiscard]] Prediction prediction_from_json(const common::Json& value, const std::string& where);
// Every line; one that does not parse, and an item twice, is a format error. `name` begins every error.
[[nodiscard]] std::vector<Prediction> parse_predictions(std::string_view text, const std::string& name);
[[nodiscard]] std::vector<Prediction> read_predictions(const std::filesystem::path& path);

inline constexpr std::uint64_t k_predictions_limit_bytes = std::uint64_t{1} << 30;

}  // namespace trainer
