#include "trainer/report/curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "trainer/report/step_panel.hpp"
#include "trainer/results/mechanism_record.hpp"

namespace trainer {
namespace {

// A curve of thousands of steps is drawn as the means of this many stretches: a page has to be small.
constexpr std::size_t k_bins = 60;

struct Binned {
  std::vector<double> sums = std::vector<double>(k_bins, 0);
  std::vector<std::int64_t> counts = std::vector<std::int64_t>(k_bins, 0);
  [[nodiscard]] Maybe mean(std::size_t bin) const {
    return counts[bin] == 0 ? Maybe() : sums[bin] / static_cast<double>(counts[bin]);
  }
};

// Of one term and group: a curve a seed.
struct TermCurves {
  std::vector<Binned> seeds;
  struct Value {
    double mean, low, high;  // over the seeds
  };
  [[nodiscard]] std::optional<Value> at(std::size_t bin) const {
    Value value{0, 1e300, -1e300};
    for (const Binned& seed : seeds) {
      const Maybe one = seed.mean(bin);
      if (!one) return std::nullopt;
      value.mean += *one / static_cast<double>(seeds.size());
      value.low = std::min(value.low, *one);
      value.high = std::max(value.high, *one);
    }
    return value;
  }
};

struct Histories {
  std::int64_t last_step = 1;
  std::map<std::string, std::map<std::size_t, TermCurves>> terms;  // term -> group -> curves
};

// Rates are what the configuration says; all else was measured.
bool is_term(const std::string& key) { return key.rfind("lr_", 0) != 0; }

Histories read_histories(const Comparison& comparison) {
  std::vector<std::vector<std::map<std::string, HistoryCurve>>> all;
  Histories histories;
  for (const VariantGroup& group : comparison.groups) {
    all.emplace_back();
    for (const std::size_t run : group.runs) {
      all.back().push_back(read_history(comparison.runs[run].path));
      for (const auto& [key, curve] : all.back().back())
        histories.last_step = std::max(histories.last_step, curve.steps.back());
    }
  }
  for (std::size_t g = 0; g < all.size(); ++g)
    for (const auto& run : all[g])
      for (const auto& [key, curve] : run) {
        if (!is_term(key)) continue;
        Binned& binned = histories.terms[key][g].seeds.emplace_back();
        for (std::size_t i = 0; i < curve.steps.size(); ++i) {
          const std::int64_t step = std::max<std::int64_t>(curve.steps[i], 1);
          const auto bin =
              static_cast<std::size_t>((step - 1) * static_cast<std::int64_t>(k_bins) / histories.last_step);
          binned.sums[bin] += curve.values[i];
          ++binned.counts[bin];
        }
      }
  return histories;
}

// Titles of mechanisms by their keys, as the runs have them.
using Titles = std::map<std::string, std::string>;

Titles titles_of(const Comparison& comparison) {
  Titles titles;
  for (const RunSummary& run : comparison.runs)
    for (const MechanismRecord& mechanism : mechanisms_in(run.config))
      titles.emplace(mechanism.key, mechanism.title);
  return titles;
}

// "<mechanism>_loss", "<mechanism>_gradient_norm" and "<mechanism>_removed" belong to a mechanism.
std::string title_of(const std::string& key, const Titles& titles) {
  static const std::map<std::string, std::string> own = {
      {"total_loss", "total loss"},
      {"audio_task_loss", "task loss, nats a token"},
      {"train_token_accuracy", "token accuracy on the batch"},
      {"gradient_norm", "gradient norm, all terms"},
      {"audio_gradient_norm", "gradient norm, task"}};
  if (const auto found = own.find(key); found != own.end()) return found->second;
  const auto mechanism = [&](std::string_view suffix) {
    const std::string name = key.substr(0, key.size() - suffix.size());
    const auto found = titles.find(name);
    return found == titles.end() ? name : found->second;
  };
  if (key.ends_with("_gradient_norm")) return "gradient norm, " + mechanism("_gradient_norm");
  if (key.ends_with("_loss")) return mechanism("_loss") + " term";
  if (key.ends_with("_removed")) return mechanism("_removed") + ": what it takes out";
  return key;
}

// Losses first, then what they pull with.
int rank_of(const std::string& key) {
  if (key == "total_loss") return 0;
  if (key == "audio_task_loss") return 1;
  if (key.ends_with("_loss")) return 2;
  if (key.ends_with("_removed")) return 3;
  return key.find("gradient") == std::string::npos ? 4 : 5;
}

double middle_step(std::size_t bin, std::int64_t last_step) {
  return (static_cast<double>(bin) + 0.5) * static_cast<double>(last_step) / static_cast<double>(k_bins);
}

StepLine line_of(const TermCurves& curves, std::int64_t last_step) {
  StepLine line;
  line.has_band = curves.seeds.size() > 1;
  for (std::size_t bin = 0; bin < k_bins; ++bin)
    if (const auto value = curves.at(bin))
      line.points.push_back({middle_step(bin, last_step), value->mean, value->low, value->high});
  return line;
}

void add_rows(Table& table, const Comparison& comparison, const std::string& title,
              const std::map<std::size_t, TermCurves>& groups) {
  for (const auto& [group, curves] : groups) {
    std::vector<std::string> row = {comparison.groups[group].label, title};
    for (const std::size_t bin : {std::size_t{0}, k_bins / 4, k_bins / 2, 3 * k_bins / 4, k_bins - 1}) {
      const auto value = curves.at(bin);
      row.push_back(!value ? "-"
                    : curves.seeds.size() == 1
                        ? fmt::format("{:.4g}", value->mean)
                        : fmt::format("{:.4g} ({:.4g} to {:.4g})", value->mean, value->low, value->high));
    }
    table.rows.push_back(std::move(row));
  }
}

}  // namespace

Curves loss_curves(const Comparison& comparison, const Draw& draw) {
  const Histories histories = read_histories(comparison);
  const Titles titles = titles_of(comparison);
  std::vector<std::string> keys;
  for (const auto& [key, groups] : histories.terms) keys.push_back(key);
  std::stable_sort(keys.begin(), keys.end(),
                   [](const std::string& a, const std::string& b) { return rank_of(a) < rank_of(b); });
  Curves curves;
  curves.table = {fmt::format("Means over stretches of {:.1f} steps, over the seeds (and their range)",
                              static_cast<double>(histories.last_step) / static_cast<double>(k_bins)),
                  {"", "term"},
                  {}};
  for (const char* when : {"start", "¼", "½", "¾", "end"}) curves.table.head.emplace_back(when);
  for (const std::string& key : keys) {
    const auto& groups = histories.terms.at(key);
    Figure& figure = curves.figures.emplace_back();
    figure.title = title_of(key, titles);
    std::map<std::size_t, StepLine> lines;
    for (const auto& [group, one] : groups) lines[group] = line_of(one, histories.last_step);
    const std::string id = "curve-" + std::to_string(curves.figures.size());
    figure.wide = draw({id, 360, 240, figure.title,
                        "Over the steps of training: lines are means over the seeds, bands their range.",
                        step_panel_script(lines, histories.last_step)});
    add_rows(curves.table, comparison, figure.title, groups);
  }
  return curves;
}

}  // namespace trainer
