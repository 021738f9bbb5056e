#include "trainer/run/report_table.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "common/error.hpp"
#include "common/file.hpp"
#include "trainer/run/run_directory.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;
using common::Json;

constexpr std::uint64_t k_json_limit_bytes = std::uint64_t{64} << 20;
constexpr std::size_t k_findings_shown = 10;

using Scores = std::map<std::string, double>;  // of one condition, by question id

void refuse_unless_verified(const fs::path& run) {
  const std::vector<RunFinding> findings = verify_run(run);
  if (findings.empty()) return;
  std::string message = run.string() + " does not verify:";
  for (std::size_t i = 0; i < findings.size() && i < k_findings_shown; ++i)
    message += "\n  " + (findings[i].path.empty() ? "the run" : findings[i].path) + " " + findings[i].what;
  if (findings.size() > k_findings_shown)
    message += "\n  and " + std::to_string(findings.size() - k_findings_shown) + " more";
  throw Error(ErrorKind::mismatch, message + "\ntake the run out of the report, or make it again");
}

RunSummary read_run(const fs::path& run) {
  refuse_unless_verified(run);
  RunSummary summary;
  summary.path = run;
  const fs::path whole = fs::weakly_canonical(run);
  summary.name = whole.filename().string();
  summary.sums_digest = common::digest_file(run / k_sums_name).digest;
  const std::string where = (run / "config.json").string();
  const Json config = common::read_json(where, k_json_limit_bytes);
  summary.variant = common::string_member(config, "variant", where);
  summary.pack_id = common::string_member(config, "pack_id", where);
  summary.base_digest = common::string_member(config, "base_digest", where);
  summary.seed = common::integer_member(config, "seed", where);
  const fs::path metrics = run / "metrics.json";
  summary.metrics = metrics_from_json(common::read_json(metrics, k_json_limit_bytes), metrics.string());
  return summary;
}

std::map<std::string, Scores> read_scores(const fs::path& run) {
  std::map<std::string, Scores> scores;
  for (const Prediction& item : read_predictions(run / "predictions.jsonl"))
    if (item.kind == PredictionKind::vl && item.split == "validation")
      scores[item.condition][item.id] = item.score;
  return scores;
}

std::optional<PairedComparison> compare_pair(const Scores& first, const Scores& second) {
  PairedComparison pair;
  double difference = 0;
  for (const auto& [id, score] : first) {
    const auto other = second.find(id);
    if (other == second.end()) continue;
    ++pair.items;
    difference += other->second - score;
    const bool right = score >= k_right_from, other_right = other->second >= k_right_from;
    pair.only_first_right += right && !other_right ? 1 : 0;
    pair.only_second_right += !right && other_right ? 1 : 0;
  }
  if (pair.items == 0) return std::nullopt;
  pair.accuracy_difference = difference / static_cast<double>(pair.items);
  pair.p_value = mcnemar_exact(pair.only_first_right, pair.only_second_right);
  return pair;
}

void add_pairs(Comparison& comparison) {
  std::vector<std::map<std::string, Scores>> scores;
  for (const RunSummary& run : comparison.runs) scores.push_back(read_scores(run.path));
  for (const std::string_view name : {condition::k_distractor_memorised, condition::k_distractor_held_out})
    for (std::size_t i = 0; i < scores.size(); ++i)
      for (std::size_t j = i + 1; j < scores.size(); ++j) {
        const RunSummary &first = comparison.runs[i], &second = comparison.runs[j];
        // The questions of another pack, or what another base knew, are not the same items.
        if (first.pack_id != second.pack_id || first.base_digest != second.base_digest) continue;
        std::optional<PairedComparison> pair =
            compare_pair(scores[i][std::string(name)], scores[j][std::string(name)]);
        if (!pair) continue;
        pair->condition = name;
        pair->first = first.name;
        pair->second = second.name;
        comparison.paired.push_back(*pair);
      }
}

template <typename Key>
std::size_t distinct(const std::vector<RunSummary>& runs, Key key) {
  std::set<std::string> values;
  for (const RunSummary& run : runs) values.insert(key(run));
  return values.size();
}

void add_warnings(Comparison& comparison) {
  std::vector<std::string>& warnings = comparison.warnings;
  if (distinct(comparison.runs, [](const RunSummary& run) { return run.pack_id; }) > 1)
    warnings.push_back("the runs are of different packs: their numbers are of different questions and clips");
  if (distinct(comparison.runs, [](const RunSummary& run) { return run.base_digest; }) > 1)
    warnings.push_back("the runs are of different bases: compare each with its own base only");
  for (const RunSummary& run : comparison.runs) {
    if (run.metrics.bit_equal_without_audio == false)
      warnings.push_back(run.name +
                         ": without audio it does not equal the base, so it shows nothing about retention");
    for (const auto& [name, activity] : run.metrics.mechanisms)
      if (activity.acted_steps == 0)
        warnings.push_back(run.name + ": " + name + " was switched on and never acted");
  }
}

Json pair_to_json(const PairedComparison& pair) {
  Json object = Json::object();
  object["condition"] = pair.condition;
  object["first"] = pair.first;
  object["second"] = pair.second;
  object["items"] = pair.items;
  object["accuracy_difference"] = pair.accuracy_difference;
  object["only_first_right"] = pair.only_first_right;
  object["only_second_right"] = pair.only_second_right;
  object["mcnemar_exact_p"] = pair.p_value;
  return object;
}

}  // namespace

double mcnemar_exact(std::int64_t first, std::int64_t second) {
  const std::int64_t total = first + second, fewer = std::min(first, second);
  // Two-sided: twice the smaller tail of a binomial with p = 1/2; sums in logarithms, since 2^-total
  // underflows.
  const double log_all = static_cast<double>(total) * std::log(2.0);
  double tail = 0;
  for (std::int64_t k = 0; k <= fewer; ++k) {
    const double n = static_cast<double>(total), i = static_cast<double>(k);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) - std::lgamma(n - i + 1) - log_all);
  }
  return std::min(1.0, 2 * tail);
}

Comparison compare_runs(const std::vector<fs::path>& runs) {
  if (runs.empty())
    throw Error(ErrorKind::usage, "there is no run to report on; name one run directory or more");
  Comparison comparison;
  std::set<std::string> names;
  for (const fs::path& run : runs) {
    comparison.runs.push_back(read_run(run));
    if (!names.insert(comparison.runs.back().name).second)
      throw Error(ErrorKind::usage,
                  "two of the runs are called " + comparison.runs.back().name + "; name each run once");
  }
  add_pairs(comparison);
  add_warnings(comparison);
  return comparison;
}

Json to_json(const Comparison& comparison) {
  Json report = Json::object();
  Json& runs = report["runs"] = Json::array();
  for (const RunSummary& run : comparison.runs) {
    Json object = Json::object();
    object["name"] = run.name;
    object["sums_sha256"] = run.sums_digest.hex();
    object["variant"] = run.variant;
    object["seed"] = run.seed ? Json(*run.seed) : Json(nullptr);
    object["pack_id"] = run.pack_id;
    object["base_digest"] = run.base_digest;
    object["metrics"] = to_json(run.metrics);
    runs.push_back(std::move(object));
  }
  Json& paired = report["paired"] = Json::array();
  for (const PairedComparison& pair : comparison.paired) paired.push_back(pair_to_json(pair));
  report["warnings"] = comparison.warnings;
  return report;
}

}  // namespace trainer
