// Names in a run's config.json.
#pragma once

#include <array>
#include <string_view>

#include "common/json.hpp"

namespace trainer {

inline constexpr const char* k_config_name = "config.json";
inline constexpr const char* k_config_digest = "config_digest";
inline constexpr const char* k_feature_cache = "feature_cache";               // {"used": n, "computed": n}
inline constexpr const char* k_accumulation = "gradient_accumulation_steps";  // absent: 1
inline constexpr const char* k_prompt = "prompt";  // "llava"; absent: the original's
// In "fusion": where the vector gate stands. Programs that had it after the output map wrote no such key.
inline constexpr const char* k_gate_place = "gate_place";
inline constexpr const char* k_gate_before_output = "before_output";
[[nodiscard]] inline bool has_this_gate(const common::Json& fusion) {
  const auto place = fusion.find(k_gate_place);
  return place != fusion.end() && *place == k_gate_before_output;
}
// "ask" where questions beyond the stream were asked; else not there.
inline constexpr const char* k_beyond_stream = "beyond_stream";
inline constexpr const char* k_asked = "ask";
// What was looked at while it was trained (learning_curve.hpp); absent: nothing.
inline constexpr const char* k_learning_curve = "learning_curve";
// Of an evaluation alone, and only where they are not 1 and all.
inline constexpr const char* k_caption_beams = "audio_generation_num_beams";
inline constexpr const char* k_captions_per_clip = "captions_per_clip";
inline constexpr const char* k_arithmetic = "arithmetic";        // {"blas": kernels, "aten": kernels}
inline constexpr const char* k_resumed_at = "resumed_at_steps";  // a list, empty where it never was
inline constexpr const char* k_micro_batch =
    "micro_batch_size";                                  // on a GPU: rows at once, by its free memory
inline constexpr const char* k_processes = "processes";  // that shared the run, where there were several
// Of retention questions, what stands before them: "keys" or "states", by the memory that there was.
inline constexpr const char* k_kept_prefixes = "kept_prefixes";
inline constexpr const char* k_keys = "keys";
inline constexpr const char* k_states = "states";
// Facts of one run, which config_digest does not cover: it is the SHA-256 of the line without them.
inline constexpr std::array<std::string_view, 7> k_outside_digest = {
    k_config_digest, "output_dir", k_feature_cache, k_resumed_at,
    k_micro_batch,   k_processes,  k_kept_prefixes};

}  // namespace trainer
