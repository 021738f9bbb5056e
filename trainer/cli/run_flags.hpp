// The command line of `safe-trainer run`: the Python original's flags with its names and, unless --help says
// otherwise, its defaults.
#pragma once

#include <optional>
#include <string>

#include "common/cli/verb.hpp"
#include "trainer/cli/shape_flags.hpp"
#include "trainer/train/config.hpp"

namespace trainer {

// What was typed. Options that are absent leave the preset's value alone.
struct RunFlags {
  RunConfig config;
  bool resume = false;
  bool gate_comparison = false;
  bool beyond_stream = false;
  bool audio_gate = true;
  bool debug_logging = false;
  std::string device = "auto", dtype = "auto", silence_baseline = "on", fusion_positions = "text";
  MechanismFlags mechanisms;
  std::optional<double> gate_scale;
  std::optional<std::int64_t> retention_batch_size, retention_size, gradient_accumulation;
  std::optional<std::filesystem::path> base, audio_encoder;
  ShapeFlags shape;
  std::string feature_cache, arithmetic = "portable";
  std::int64_t eval_logging_steps = 1;
};

// `flags` outlives the verb.
void add_run_flags(common::Verb& verb, RunFlags& flags);
// Presets and flags into one configuration; usage errors for combinations that are invalid.
[[nodiscard]] RunConfig resolve(const RunFlags& flags);

// Flags that several verbs have: which pack is read; and where runs and features go and what computes.
void add_pack_flags(common::Verb& verb, RunConfig& config);
// Of run and evaluate.
inline constexpr const char* k_beyond_stream_help =
    "Ask beyond the stream that retention sees, too: unlike_manifest.json where the pack has it, the "
    "instruction at the other end of the question, and no picture";
void add_place_flags(common::Verb& verb, RunConfig& config, std::string& feature_cache, std::string& device,
                     std::string& arithmetic);
[[nodiscard]] DeviceChoice device_of(const std::string& flag);
void add_dtype_flag(common::Verb& verb, std::string& dtype);
[[nodiscard]] DtypeChoice dtype_of(const std::string& flag);
// Where features are kept; empty: nowhere.
[[nodiscard]] std::filesystem::path feature_cache_of(const std::string& flag,
                                                     const std::filesystem::path& output_root);

}  // namespace trainer
