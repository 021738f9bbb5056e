// A finished run as a report sees it. Only runs that verify (run_check.hpp) are read; one that does not is a
// mismatch error that lists what is wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/digest.hpp"
#include "common/json.hpp"
#include "trainer/results/metrics.hpp"

namespace trainer {

// What is measured of every item. Questions have the first seven, clips the others and delta_nll; clips that
// are scored by VQA accuracy have the first two in place of token_f1 and exact_match.
namespace measure {
inline constexpr std::string_view k_accuracy = "accuracy";              // VQA accuracy, in [0, 1]
inline constexpr std::string_view k_base_accuracy = "base_accuracy";    // of the base without audio
inline constexpr std::string_view k_agreement = "agreement";            // 1: answered as the base answers
inline constexpr std::string_view k_negative_flips = "negative_flips";  // 1: base right, now wrong
inline constexpr std::string_view k_positive_flips = "positive_flips";
inline constexpr std::string_view k_kl_to_base = "kl_to_base";
inline constexpr std::string_view k_delta_nll = "delta_nll";
inline constexpr std::string_view k_token_f1 = "token_f1";
inline constexpr std::string_view k_exact_match = "exact_match";
inline constexpr std::string_view k_gain_over_base = "gain_over_base";
inline constexpr std::string_view k_gain_over_shuffled = "gain_over_shuffled";
}  // namespace measure

// The items of one condition or audio group: a value for every item of `ids`, by measure. A measure that one
// of the items has no value for is not there: its mean would be of other items.
struct ItemTable {
  std::vector<std::string> ids;  // ascending by bytes
  std::map<std::string, std::vector<double>, std::less<>> values;
};

// What a look at the model saw (learning_curve.hpp).
struct CurvePoint {
  std::int64_t step = 0;
  std::map<std::string, ItemTable, std::less<>> tables;  // as RunSummary::tables, of the items looked at
};

struct RunSummary {
  std::filesystem::path path;
  std::string name;            // of the folder
  common::Digest sums_digest;  // of SHA256SUMS: names every byte of the run
  std::string variant, pack_id, base_digest;
  std::optional<std::int64_t> seed;
  common::Json config;  // config.json, whole
  Metrics metrics;
  Maybe training_s;  // of the clock; nothing where the run was resumed, or never trained
  std::map<std::string, ItemTable, std::less<>> tables;  // of split "validation", by condition or group
  // From step 0, which is the base, to the end of training; empty where nothing was looked at in between.
  std::vector<CurvePoint> curve;
};

// `trusted_key`: the public key that must have signed the run; a signature error where it has not.
[[nodiscard]] RunSummary read_run(const std::filesystem::path& run,
                                  const std::optional<std::filesystem::path>& trusted_key = {});

// A column of history.jsonl: what was recorded of `key`, and at which step. Steps that have none are left
// out.
struct HistoryCurve {
  std::vector<std::int64_t> steps;
  std::vector<double> values;
};
// Every number of history.jsonl but "step" and "epoch", by key.
[[nodiscard]] std::map<std::string, HistoryCurve> read_history(const std::filesystem::path& run);

}  // namespace trainer
