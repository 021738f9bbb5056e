// The folder of one run, "<output root>/<UTC yyyymmdd_HHMMSS>_<variant>_<id>". No two runs ever share one:
// creating it is the claim, and who writes in it holds its lock, ".<name>.lock" beside it. Whole files are
// replaced atomically; a .jsonl grows by whole lines. A sealed run has SHA256SUMS over everything in it and
// is never written again.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/json.hpp"
#include "common/sealed/folder.hpp"
#include "common/sealed/sums.hpp"
#include "trainer/results/json_lines.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/results/prediction.hpp"

namespace trainer {

class RunDirectory {
 public:
  // Creates the folder and checkpoints/ in it. `id` is six hex digits of `config_digest`; where that name is
  // taken, the digest of it and a counter is used, so that runs of one second and configuration part.
  static RunDirectory create(const std::filesystem::path& output_root, const std::string& variant,
                             const common::Digest& config_digest, std::chrono::system_clock::time_point now);
  // For resuming: it must have a config.json. What a killed run left half-written is removed. Nothing where
  // it is sealed. An io error, which says who, where another process works on it.
  static std::optional<RunDirectory> open_unfinished(const std::filesystem::path& path);
  ~RunDirectory();
  RunDirectory(RunDirectory&&) noexcept;
  RunDirectory& operator=(RunDirectory&&) noexcept;

  [[nodiscard]] const common::Folder& folder() const;
  [[nodiscard]] const std::filesystem::path& path() const { return folder().path(); }
  [[nodiscard]] std::filesystem::path checkpoints() const { return path() / "checkpoints"; }

  [[nodiscard]] common::Json read_config() const;
  void write_config(const common::Json& config);
  void write_metrics(const Metrics& metrics);
  // A list of integers, as the original writes it; always there.
  void write_subset_indices(const std::vector<std::int64_t>& indices);
  // The only file of a run that holds durations.
  void write_timings(const common::Json& timings);

  // Goes on at the end of history.jsonl, or begins it.
  [[nodiscard]] JsonLines history() const;
  [[nodiscard]] std::string read_history() const;  // empty where there is none
  // Keeps the first `bytes` bytes, all of them or none of the change; a history of fewer is an io error.
  void cut_history(std::uint64_t bytes);
  // Replaces predictions.jsonl whole: evaluation comes last and is repeated on resume.
  void write_predictions(const std::vector<Prediction>& predictions);

 private:
  struct State;
  explicit RunDirectory(std::unique_ptr<State> state);
  void write_json(const char* name, const common::Json& value);
  std::unique_ptr<State> state_;
};

// The newest run under `output_root` whose config.json is of `variant` and has `config_digest` under
// "config_digest", finished or not; nothing where there is none. Of several, one that another process writes
// is taken last: two jobs may have begun the same run, and each goes on with one that the other has not.
[[nodiscard]] std::optional<std::filesystem::path> find_run(const std::filesystem::path& output_root,
                                                            const std::string& variant,
                                                            const common::Digest& config_digest);
// Sealed; whether it still verifies is another question.
[[nodiscard]] bool is_finished(const std::filesystem::path& run);

// What an atomic write leaves behind when the process is killed inside it: ".<name>.draft".
[[nodiscard]] bool is_draft(const std::filesystem::path& path);

inline constexpr std::string_view k_sums_name = common::k_seal_name;

}  // namespace trainer
