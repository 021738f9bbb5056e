// The comparison of several runs, for a person and for a machine. Only runs that verify against their
// SHA256SUMS are read; one that does not is a mismatch error that lists what is wrong. From config.json it
// reads "variant", "seed", "pack_id" and "base_digest"; all else is in metrics.json and predictions.jsonl.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/json.hpp"
#include "trainer/run/metrics.hpp"

namespace trainer {

struct RunSummary {
  std::filesystem::path path;
  std::string name;            // of the folder
  common::Digest sums_digest;  // of SHA256SUMS: names every byte of the run
  std::string variant, pack_id, base_digest;
  std::optional<std::int64_t> seed;
  Metrics metrics;
};

// Two runs over the same items of one condition (validation split).
struct PairedComparison {
  std::string condition;
  std::string first, second;                                 // names of the runs
  std::int64_t items = 0;                                    // that both have
  std::int64_t only_first_right = 0, only_second_right = 0;  // right: accuracy >= 0.5
  double accuracy_difference = 0;                            // second minus first, over those items
  double p_value = 1;                                        // McNemar's exact test, two-sided
};

struct Comparison {
  std::vector<RunSummary> runs;  // in the order asked for
  std::vector<PairedComparison>
      paired;  // every pair of runs with one pack and one base, distractor conditions
  std::vector<std::string>
      warnings;  // e.g. runs of different packs, which no difference means anything between
};

[[nodiscard]] Comparison compare_runs(const std::vector<std::filesystem::path>& runs);
[[nodiscard]] std::string to_text(const Comparison& comparison);
[[nodiscard]] common::Json to_json(const Comparison& comparison);

// P(as uneven or worse | a fair coin) over first + second discordant items; 1 where there are none.
[[nodiscard]] double mcnemar_exact(std::int64_t first, std::int64_t second);

}  // namespace trainer
