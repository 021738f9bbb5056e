// metrics.json as a value: the Python original's keys with the meaning written here, and this project's own.
// What cannot be computed is null; no clock and no path is in it, so that two equal runs write equal bytes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.hpp"

namespace trainer {

using Maybe = std::optional<double>;
[[nodiscard]] inline Maybe difference(Maybe a, Maybe b) { return a && b ? Maybe(*a - *b) : std::nullopt; }

// Conditions under which the same questions are asked. The gate sweep hears the memorised clips, like
// distractor_memorised, which is gate 1.
namespace condition {
inline constexpr std::string_view k_no_audio = "no_audio";
inline constexpr std::string_view k_silence = "silence";
inline constexpr std::string_view k_distractor_memorised = "distractor_memorised";
inline constexpr std::string_view k_distractor_held_out = "distractor_held_out";
inline constexpr std::string_view k_gate_0 = "gate_0";
inline constexpr std::string_view k_gate_025 = "gate_0.25";
inline constexpr std::string_view k_gate_05 = "gate_0.5";
inline constexpr std::string_view k_gate_1 = "gate_1";
// Audio groups.
inline constexpr std::string_view k_memorised = "memorised";
inline constexpr std::string_view k_held_out = "held_out";
}  // namespace condition

// Sets of questions beyond the stream that retention sees. Their conditions are called "unlike:no_audio" and
// "unlike:distractor_memorised", in this order.
namespace question_set {
inline constexpr std::string_view k_unlike = "unlike";  // of unlike_manifest.json
// The questions of val_manifest.json with the instruction at the other end of the question, and without
// their pictures.
inline constexpr std::string_view k_instruction_moved = "instruction_moved";
inline constexpr std::string_view k_no_picture = "no_picture";
}  // namespace question_set
inline constexpr std::array<std::string_view, 3> k_question_sets = {
    question_set::k_unlike, question_set::k_instruction_moved, question_set::k_no_picture};
inline constexpr std::array<std::string_view, 2> k_beyond_conditions = {condition::k_no_audio,
                                                                        condition::k_distractor_memorised};
[[nodiscard]] std::string beyond_condition(std::string_view set, std::string_view condition);
// Of any condition of questions; the set is empty for the questions as they are trained.
struct ConditionParts {
  std::string_view set, condition;
};
[[nodiscard]] ConditionParts parts_of(std::string_view condition);
// Whether items of questions may have it.
[[nodiscard]] bool is_vl_condition(std::string_view name);

inline constexpr std::array<std::string_view, 8> k_vl_conditions = {condition::k_no_audio,
                                                                    condition::k_silence,
                                                                    condition::k_distractor_memorised,
                                                                    condition::k_distractor_held_out,
                                                                    condition::k_gate_0,
                                                                    condition::k_gate_025,
                                                                    condition::k_gate_05,
                                                                    condition::k_gate_1};
inline constexpr std::array<std::string_view, 2> k_audio_groups = {condition::k_memorised,
                                                                   condition::k_held_out};

// A question counts as answered right from this accuracy on (two of the ten people or more).
inline constexpr double k_right_from = 0.5;

// Questions under one condition. "Flip": base right and now wrong is negative, the other way round positive.
struct ConditionMetrics {
  std::int64_t questions = 0;
  Maybe accuracy;                               // mean VQA accuracy
  Maybe base_accuracy;                          // of the base without audio on the same questions
  std::map<std::string, Maybe> by_answer_type;  // accuracy for "yes/no", "number", "other"
  Maybe agreement;                              // share of questions answered as the base answers
  Maybe kl_to_base;                             // nats, mean over questions
  Maybe delta_nll;                              // mean of nll - base nll of the first reference
  std::int64_t positive_flips = 0, negative_flips = 0;
};

// Clips that were trained on (memorised) or never heard (held_out).
struct AudioMetrics {
  std::int64_t samples = 0;
  Maybe token_f1, exact_match;
  std::array<Maybe, 4> bleu;  // BLEU-1..4
  Maybe rouge_l, cider_d;
  Maybe answer_nll;  // nats a token
  Maybe base_token_f1, shuffled_token_f1;
  // Of clips whose data set is scored by VQA accuracy: the keys are there only then, and token_f1 and all
  // else that is measured of captions is nothing.
  Maybe accuracy, base_accuracy, shuffled_accuracy;
  Maybe gain_over_base, gain_over_shuffled;  // token_f1, or accuracy, minus those
};

// One protected subspace: what it spans, and whether the trained weight stayed out of it.
struct NullSpaceMetrics {
  std::string map;  // "gate", "query", "key", "value", "output", "linear_1", "linear_2" (of the projector),
                    // or "gradient": all trained tensors, `rank` the largest of theirs, no width
  std::optional<std::int64_t> layer;           // of the decoder; none for the projector
  std::int64_t rank = 0, width = 0, rows = 0;  // U is [width, rank], from `rows` inputs of the map
  Maybe energy;          // share of the rows' energy that U holds; of gradients: of those drawn after it
  Maybe leak;            // |(W - W_anchor) U| / |W - W_anchor|, Frobenius
  Maybe certificate;     // bound on the drift of the retention inputs
  Maybe measured_drift;  // that drift, measured
};

// What the trained gate does at the positions of some rows.
struct GateOpening {
  Maybe rms;      // of Wg h^, the gate's argument
  Maybe mean;     // of |tanh(Wg h^)|, from 0, shut, to 1
  Maybe outside;  // share of the energy of h^ that a null space on the gate leaves to it; null without one
};
struct GateMetrics {
  std::int64_t layer = 0;        // of the decoder
  GateOpening retention, audio;  // on retention questions with distractors, and on captions of training clips
};

// Whether a mechanism that is switched on ever did anything.
struct MechanismActivity {
  std::int64_t enabled_steps = 0, acted_steps = 0;
  Maybe largest;  // largest gradient norm it contributed, or the most that it removed
  // What it alone measures of the trained model, by name: "penalty" is its loss where that follows from the
  // weights.
  std::map<std::string, Maybe> measured{};
};

// The original's flat keys, "validation" or "training".
struct SplitMetrics {
  Maybe total_loss, audio_task_loss;  // teacher-forced, nats a token
  Maybe retention_loss, distillation_loss, fisher_loss;
  Maybe audio_accuracy, audio_exact_match, audio_token_f1;  // audio_accuracy: the mean score
  Maybe vl_safe_accuracy;                                   // with a memorised clip as distractor, gate 1
  Maybe vl_base_accuracy;                                   // the base without audio
  Maybe retention_score;  // vl_safe_accuracy / vl_base_accuracy; null where the base has 0
  Maybe audio_gain;       // token F1 minus that of the base without audio
  std::int64_t audio_samples = 0, vl_samples = 0;
  std::array<Maybe, 4> audio_bleu;
  Maybe audio_rouge_l, audio_cider;  // audio_cider is 100 x CIDEr-D, the original's scale
  std::int64_t audio_caption_samples = 0;
  // Always null here, kept for readers of the original's files: audio_bertscore, audio_meteor, audio_spice,
  // audio_spider. total_samples is audio_samples + vl_samples.
  std::map<std::string, ConditionMetrics> conditions;  // by name; beyond the stream where asked
  std::map<std::string, AudioMetrics> audio;           // by a name of k_audio_groups
};

struct Metrics {
  SplitMetrics validation;
  std::optional<SplitMetrics> training;
  std::optional<bool> bit_equal_without_audio;  // logits of SAFE and base on rows without audio
  std::vector<NullSpaceMetrics> null_space;
  std::vector<GateMetrics> gate;  // a fused layer each; none of a run that was judged again
  Maybe fisher_trace;
  std::map<std::string, MechanismActivity>
      mechanisms;  // by their keys in config.json; the enabled ones alone
};

// Non-finite numbers become null: JSON has none.
[[nodiscard]] common::Json to_json(const Metrics& metrics);
[[nodiscard]] Metrics metrics_from_json(const common::Json& value, const std::string& where);

}  // namespace trainer
