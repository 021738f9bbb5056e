// The command line of `safe-trainer run`: the Python original's flags with its names and, unless --help says
// otherwise, its defaults.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "trainer/train/config.hpp"

namespace CLI {
class App;
}

namespace trainer {

// What was typed. Options that are absent leave the preset's value alone.
struct RunFlags {
  RunConfig config;
  bool resume = false;
  bool gate_comparison = false;
  bool audio_gate = true;
  bool debug_logging = false;
  std::string pack_root, data_path, pack_id, required_key, device = "auto", silence_baseline = "on",
                                                           fusion_positions = "text";
  std::optional<std::string> null_space;
  std::optional<double> kl_weight, kl_temperature, fisher_weight, null_space_energy, gate_scale;
  std::optional<std::int64_t> null_space_rank, null_space_refresh, null_space_min_samples,
      retention_batch_size;
  std::string base, audio_encoder, feature_cache;
  std::int64_t num_workers = 0, eval_logging_steps = 1;
};

[[nodiscard]] std::shared_ptr<RunFlags> add_run_flags(CLI::App& command);
// Presets, environment (PACK_ROOT, DATA_ROOT) and flags into one configuration; usage errors for what cannot
// be meant.
[[nodiscard]] RunConfig resolve(const RunFlags& flags);

// Single flags, as every command reads them.
[[nodiscard]] DeviceChoice device_of(const std::string& flag);
// Where features are kept; empty: nowhere.
[[nodiscard]] std::filesystem::path feature_cache_of(const std::string& flag,
                                                     const std::filesystem::path& output_root);
[[nodiscard]] common::Digest pack_id_of(const std::string& flag);

}  // namespace trainer
