#include "trainer/results/run_summary.hpp"

#include <algorithm>

#include "common/sealed/folder.hpp"
#include "trainer/results/caption_metrics.hpp"
#include "trainer/results/config_keys.hpp"
#include "trainer/results/json_lines.hpp"
#include "trainer/results/learning_curve.hpp"
#include "trainer/results/prediction.hpp"
#include "trainer/results/run_check.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Json;

std::map<std::string_view, Maybe> values_of(const Prediction& item) {
  if (item.kind == PredictionKind::audio && scorer_of(item) == manifest::Scorer::vqa_accuracy)
    return {{measure::k_accuracy, item.score},
            {measure::k_base_accuracy, item.base_score},
            {measure::k_gain_over_base, difference(item.score, item.base_score)},
            {measure::k_gain_over_shuffled, difference(item.score, item.shuffled_score)},
            {measure::k_delta_nll, difference(item.nll, item.base_nll)}};
  if (item.kind == PredictionKind::audio)
    return {{measure::k_token_f1, item.score},
            {measure::k_exact_match, exact_match({item.prediction, item.references})},
            {measure::k_gain_over_base, difference(item.score, item.base_score)},
            {measure::k_gain_over_shuffled, difference(item.score, item.shuffled_score)},
            {measure::k_delta_nll, difference(item.nll, item.base_nll)}};
  const bool right = item.score >= k_right_from, base_right = item.base_score.value_or(0) >= k_right_from;
  const auto share = [&](bool yes) { return item.base_score ? Maybe(yes ? 1 : 0) : std::nullopt; };
  return {{measure::k_accuracy, item.score},
          {measure::k_base_accuracy, item.base_score},
          {measure::k_agreement,
           item.base_prediction ? Maybe(item.prediction == *item.base_prediction ? 1 : 0) : std::nullopt},
          {measure::k_negative_flips, share(base_right && !right)},
          {measure::k_positive_flips, share(!base_right && right)},
          {measure::k_kl_to_base, item.kl_to_base},
          {measure::k_delta_nll, difference(item.nll, item.base_nll)}};
}

ItemTable table_of(std::vector<const Prediction*> items) {
  std::sort(items.begin(), items.end(),
            [](const Prediction* a, const Prediction* b) { return a->id < b->id; });
  ItemTable table;
  std::map<std::string_view, std::size_t> missing;
  for (const Prediction* item : items) {
    table.ids.push_back(item->id);
    for (const auto& [name, value] : values_of(*item)) {
      table.values[std::string(name)].push_back(value.value_or(0));
      if (!value) ++missing[name];
    }
  }
  for (const auto& [name, count] : missing) table.values.erase(std::string(name));
  return table;
}

std::map<std::string, ItemTable, std::less<>> tables_of(const std::vector<Prediction>& predictions) {
  std::map<std::string, std::vector<const Prediction*>> groups;
  for (const Prediction& item : predictions)
    if (item.split == "validation") groups[item.condition].push_back(&item);
  std::map<std::string, ItemTable, std::less<>> tables;
  for (auto& [name, items] : groups) tables[name] = table_of(std::move(items));
  return tables;
}

// The base, as if it had been looked at.
Prediction untrained(Prediction item) {
  item.prediction = item.base_prediction.value_or("");
  item.score = item.base_score.value_or(0);
  item.kl_to_base = item.kind == PredictionKind::vl ? Maybe(0) : Maybe();
  return item;
}

std::vector<CurvePoint> curve_of(const common::Folder& run, const std::vector<Prediction>& predictions,
                                 std::int64_t steps) {
  std::vector<CurvePoint> points;
  const std::vector<CurveLook> looks = read_curve(run);
  if (looks.empty()) return points;
  std::vector<Prediction> base = predictions_at(looks.front(), predictions), end;
  std::transform(base.begin(), base.end(), base.begin(), untrained);
  points.push_back({0, tables_of(base)});
  for (const CurveLook& look : looks)
    points.push_back({look.step, tables_of(predictions_at(look, predictions))});
  // All of them for every look of a long training would fill the memory.
  const auto lean = [](std::vector<CurvePoint>& all) {
    for (CurvePoint& point : all)
      for (auto& [name, table] : point.tables)
        std::erase_if(table.values, [](const auto& one) {
          return one.first != measure::k_accuracy && one.first != measure::k_kl_to_base &&
                 one.first != measure::k_token_f1;
        });
  };
  // Of those that were looked at before.
  const std::map<std::string, ItemTable, std::less<>>& seen = points.front().tables;
  for (const Prediction& item : predictions) {
    const auto table = seen.find(item.condition);
    if (item.split == "validation" && table != seen.end() &&
        std::binary_search(table->second.ids.begin(), table->second.ids.end(), item.id))
      end.push_back(item);
  }
  points.push_back({steps, tables_of(end)});
  lean(points);
  return points;
}

// A run that was resumed has the time of its last part alone.
Maybe training_time(const common::Folder& folder, const Json& config, const fs::path& run) {
  constexpr const char *k_name = "timings.json", *k_key = "train_s";
  const Json resumed = config.value(k_resumed_at, Json::array());
  if (!fs::exists(run / k_name) || !resumed.is_array() || !resumed.empty()) return std::nullopt;
  const std::string where = (run / k_name).string();
  const Json timings = common::parse_json(folder.read_text(k_name, k_json_limit_bytes), where);
  return timings.contains(k_key) ? Maybe(common::number_member(timings, k_key, where)) : std::nullopt;
}

}  // namespace

RunSummary read_run(const fs::path& run, const std::optional<fs::path>& trusted_key) {
  const RunCheck check = verify_run(run, trusted_key);
  refuse_findings(run, check.findings);
  RunSummary summary;
  summary.path = run;
  summary.name = fs::weakly_canonical(run).filename().string();
  summary.sums_digest = check.digest;
  const std::string where = (run / "config.json").string();
  const common::Folder folder = common::Folder::open(run);
  summary.config = common::parse_json(folder.read_text("config.json", k_json_limit_bytes), where);
  summary.variant = common::string_member(summary.config, "variant", where);
  summary.pack_id = common::string_member(summary.config, "pack_id", where);
  summary.base_digest = common::string_member(summary.config, "base_digest", where);
  summary.seed = common::integer_member(summary.config, "seed", where);
  const fs::path metrics = run / "metrics.json";
  summary.metrics = metrics_from_json(
      common::parse_json(folder.read_text("metrics.json", k_json_limit_bytes), metrics.string()),
      metrics.string());
  summary.training_s = training_time(folder, summary.config, run);
  const std::vector<Prediction> predictions = read_predictions(run / "predictions.jsonl");
  summary.tables = tables_of(predictions);
  if (folder.look(k_curve_file)) {
    const std::map<std::string, HistoryCurve> history = read_history(run);
    const auto loss = history.find("total_loss");
    if (loss != history.end()) summary.curve = curve_of(folder, predictions, loss->second.steps.back());
  }
  return summary;
}

std::map<std::string, HistoryCurve> read_history(const fs::path& run) {
  const fs::path path = run / "history.jsonl";
  const std::string text = common::Folder::open(run).read_text(path.filename().string(), k_lines_limit_bytes);
  std::map<std::string, HistoryCurve> curves;
  std::int64_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string where = path.string() + ": line " + std::to_string(++number);
    const Json record = common::parse_json(std::string_view(text).substr(begin, end - begin), where);
    const std::int64_t step = common::integer_member(record, "step", where);
    for (const auto& [key, value] : record.items()) {
      if (!value.is_number() || key == "step" || key == "epoch") continue;
      curves[key].steps.push_back(step);
      curves[key].values.push_back(value.get<double>());
    }
    begin = end + 1;
  }
  return curves;
}

}  // namespace trainer
