#include "trainer/report/equal_skill.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "trainer/report/item_panel.hpp"
#include "trainer/report/number_text.hpp"
#include "trainer/report/step_panel.hpp"

namespace trainer {
namespace {

// A setting that is not this much better than the base has learnt nothing that could be equal.
constexpr double k_least_gain = 0.05;

// Mean token F1 of the trained clips, or their accuracy where they are scored so.
Maybe skill_at(const CurvePoint& point) {
  const auto clips = point.tables.find(condition::k_memorised);
  if (clips == point.tables.end()) return std::nullopt;
  for (const std::string_view measure : {measure::k_token_f1, measure::k_accuracy})
    if (const auto found = clips->second.values.find(measure); found != clips->second.values.end())
      return mean_of(found->second);
  return std::nullopt;
}

Maybe best_skill(const RunSummary& run) {
  Maybe best;
  for (const CurvePoint& point : run.curve)
    if (const Maybe skill = skill_at(point)) best = std::max(best.value_or(*skill), *skill);
  return best;
}

// The most that all of these runs reach; nothing where one has no curve, or gained next to nothing.
Maybe common_skill(const Comparison& comparison, const std::vector<std::size_t>& runs) {
  Maybe least;
  for (const std::size_t r : runs) {
    const RunSummary& run = comparison.runs[r];
    const Maybe best = best_skill(run);
    if (!best || *best < skill_at(run.curve.front()).value_or(0) + k_least_gain) return std::nullopt;
    least = std::min(least.value_or(*best), *best);
  }
  return least;
}

bool has_curve(const Comparison& comparison, const VariantGroup& group) {
  return common_skill(comparison, group.runs).has_value();
}

// The questions of a run where its skill is `level`.
struct Crossing {
  double step = 0;
  ItemTable questions;
};

ItemTable between(const ItemTable& before, const ItemTable& after, double share) {
  ItemTable table{after.ids, {}};
  for (const std::string_view name : {measure::k_accuracy, measure::k_kl_to_base}) {
    const auto a = before.values.find(name), b = after.values.find(name);
    if (a == before.values.end() || b == after.values.end()) continue;
    std::vector<double>& values = table.values[std::string(name)];
    for (std::size_t i = 0; i < b->second.size(); ++i)
      values.push_back(a->second[i] + share * (b->second[i] - a->second[i]));
  }
  return table;
}

// best_skill(run) >= level must hold.
std::optional<Crossing> cross(const RunSummary& run, double level) {
  for (std::size_t i = 0; i < run.curve.size(); ++i) {
    const double skill = skill_at(run.curve[i]).value_or(0);
    if (skill < level) continue;
    const std::size_t j = i == 0 ? 0 : i - 1;
    const double earlier = skill_at(run.curve[j]).value_or(0);
    const double share = skill > earlier ? (level - earlier) / (skill - earlier) : 1;
    const auto before = run.curve[j].tables.find(condition::k_distractor_memorised),
               after = run.curve[i].tables.find(condition::k_distractor_memorised);
    if (before == run.curve[j].tables.end() || after == run.curve[i].tables.end()) return std::nullopt;
    return Crossing{static_cast<double>(run.curve[j].step) +
                        share * static_cast<double>(run.curve[i].step - run.curve[j].step),
                    between(before->second, after->second, share)};
  }
  return std::nullopt;
}

// Of several runs at one level; empty where one has no questions.
struct Crossings {
  std::vector<Crossing> all;
  [[nodiscard]] std::vector<double> steps() const {
    std::vector<double> steps;
    for (const Crossing& one : all) steps.push_back(one.step);
    return steps;
  }
  [[nodiscard]] ItemPanel panel() const {
    std::vector<const ItemTable*> tables;
    for (const Crossing& one : all) tables.push_back(&one.questions);
    return ItemPanel(tables);
  }
};

Crossings cross_all(const Comparison& comparison, const std::vector<std::size_t>& runs, double level) {
  Crossings crossings;
  for (const std::size_t run : runs) {
    std::optional<Crossing> one = cross(comparison.runs[run], level);
    if (!one) return {};
    crossings.all.push_back(*std::move(one));
  }
  return crossings;
}

std::optional<AtSkill> at_skill(const Comparison& comparison, const VariantGroup& group, double level) {
  const Crossings crossings = cross_all(comparison, group.runs, level);
  const ItemPanel panel = crossings.panel();
  if (!panel.has(measure::k_accuracy)) return std::nullopt;
  AtSkill at{group.label, level, crossings.steps(), estimate_accuracy(panel.values(measure::k_accuracy)), {}};
  if (panel.has(measure::k_kl_to_base)) at.kl_to_base = estimate_kl(panel.values(measure::k_kl_to_base));
  return at;
}

std::optional<SkillComparison> compare_pair(const Comparison& comparison, const VariantGroup& first,
                                            const VariantGroup& second) {
  const SeedPairs seeds = pair_seeds(comparison, first, second);
  std::vector<std::size_t> runs = seeds.first;
  runs.insert(runs.end(), seeds.second.begin(), seeds.second.end());
  const Maybe level = common_skill(comparison, runs);
  if (!level) return std::nullopt;
  const Crossings a = cross_all(comparison, seeds.first, *level),
                  b = cross_all(comparison, seeds.second, *level);
  ItemPanel before = a.panel(), after = b.panel();
  keep_common(before, after);
  if (!before.has(measure::k_accuracy) || !after.has(measure::k_accuracy)) return std::nullopt;
  SkillComparison pair{first.label, second.label, *level, seeds.seeds, a.steps(), b.steps(), {}, {}};
  pair.accuracy = estimate_mean(minus(after.values(measure::k_accuracy), before.values(measure::k_accuracy)));
  if (before.has(measure::k_kl_to_base) && after.has(measure::k_kl_to_base))
    pair.kl_ratio = ratio_of(before.values(measure::k_kl_to_base), after.values(measure::k_kl_to_base));
  return pair;
}

const VariantGroup* find_group(const Comparison& comparison, const std::string& label) {
  for (const VariantGroup& group : comparison.groups)
    if (group.label == label) return &group;
  return nullptr;
}

// Means over the items of each look, over the seeds, at the steps that all seeds have.
std::optional<StepLine> line_of(const Comparison& comparison, const VariantGroup& group,
                                std::string_view condition, std::string_view measure) {
  std::map<std::int64_t, std::vector<double>> by_step;
  for (const std::size_t run : group.runs)
    for (const CurvePoint& point : comparison.runs[run].curve) {
      const auto table = point.tables.find(condition);
      if (table == point.tables.end()) continue;
      const auto values = table->second.values.find(measure);
      if (values != table->second.values.end()) by_step[point.step].push_back(mean_of(values->second));
    }
  StepLine line;
  line.has_band = group.runs.size() > 1;
  for (const auto& [step, seeds] : by_step) {
    if (seeds.size() != group.runs.size()) continue;
    const auto [low, high] = std::minmax_element(seeds.begin(), seeds.end());
    line.points.push_back({static_cast<double>(step), mean_of(seeds), *low, *high});
  }
  if (line.points.empty()) return std::nullopt;
  return line;
}

std::string steps_text(const std::vector<double>& steps) {
  const auto [low, high] = std::minmax_element(steps.begin(), steps.end());
  if (steps.size() == 1) return number_text(*low, Scale::whole);
  return fmt::format("{} ({} to {})", number_text(mean_of(steps), Scale::whole),
                     number_text(*low, Scale::whole), number_text(*high, Scale::whole));
}

}  // namespace

void compare_at_equal_skill(Comparison& comparison) {
  std::set<std::pair<std::string, std::string>> settled;
  for (const VariantGroup& group : comparison.groups) {
    if (!settled.insert({group.pack_id, group.base_digest}).second) continue;
    std::vector<const VariantGroup*> groups;
    std::vector<std::size_t> runs;
    for (const VariantGroup& other : comparison.groups)
      if (other.pack_id == group.pack_id && other.base_digest == group.base_digest &&
          has_curve(comparison, other)) {
        groups.push_back(&other);
        runs.insert(runs.end(), other.runs.begin(), other.runs.end());
      }
    if (groups.size() < 2) continue;
    const double level = common_skill(comparison, runs).value_or(0);
    for (const VariantGroup* one : groups)
      if (auto at = at_skill(comparison, *one, level)) comparison.at_skill.push_back(*std::move(at));
  }
  for (const PairedComparison& pair : comparison.paired) {
    if (pair.condition != condition::k_distractor_memorised) continue;
    const VariantGroup *first = find_group(comparison, pair.first),
                       *second = find_group(comparison, pair.second);
    if (auto one = compare_pair(comparison, *first, *second))
      comparison.skill_pairs.push_back(*std::move(one));
  }
}

std::vector<Figure> learning_figures(const Comparison& comparison, const Draw& draw) {
  struct Panel {
    const char *id, *title;
    std::string_view condition, measure;
  };
  static constexpr std::array<Panel, 3> k_panels = {
      {{"learning-accuracy", "VQA accuracy while a trained clip plays", condition::k_distractor_memorised,
        measure::k_accuracy},
       {"learning-kl", "KL to the base, nats, while a trained clip plays", condition::k_distractor_memorised,
        measure::k_kl_to_base},
       {"learning-f1", "token F1 of captions of trained clips", condition::k_memorised,
        measure::k_token_f1}}};
  std::vector<Figure> figures;
  for (const Panel& panel : k_panels) {
    std::map<std::size_t, StepLine> lines;
    std::int64_t last_step = 0;
    for (std::size_t g = 0; g < comparison.groups.size(); ++g)
      if (const std::optional<StepLine> line =
              line_of(comparison, comparison.groups[g], panel.condition, panel.measure)) {
        last_step = std::max(last_step, static_cast<std::int64_t>(line->points.back().step));
        lines[g] = *line;
      }
    if (lines.empty()) continue;
    Figure& figure = figures.emplace_back();
    figure.title = panel.title;
    figure.wide = draw({panel.id, 360, 240, figure.title,
                        "Over the steps of training: lines are means over the seeds, bands their range.",
                        step_panel_script(lines, last_step)});
  }
  return figures;
}

Table at_skill_table(const Comparison& comparison) {
  Table table{
      "Where training first reaches the audio skill that all settings reach (token F1 in %, on the clips "
      "that "
      "were looked at): the step (mean and range of the seeds), VQA accuracy in % while a trained clip "
      "plays, "
      "and KL to the base in nats, on the lines between two looks. Without retention this is early stopping",
      {"", "token F1", "step", "accuracy", "KL to base"},
      {}};
  for (const AtSkill& at : comparison.at_skill)
    table.rows.push_back({at.label, number_text(at.token_f1, Scale::percent), steps_text(at.steps),
                          estimate_text(&at.accuracy, Scale::percent),
                          estimate_text(at.kl_to_base ? &*at.kl_to_base : nullptr, Scale::plain4)});
  return table;
}

Table skill_pair_table(const Comparison& comparison) {
  Table table{
      "Second against first at the most audio skill that both reach: points of accuracy, and KL of the first "
      "divided by that of the second, over the questions that were looked at",
      {"", "token F1", "step of the first", "step of the second", "accuracy", "KL ratio"},
      {}};
  for (const SkillComparison& pair : comparison.skill_pairs)
    table.rows.push_back({pair.first + " → " + pair.second, number_text(pair.token_f1, Scale::percent),
                          steps_text(pair.first_steps), steps_text(pair.second_steps),
                          estimate_text(&pair.accuracy, Scale::points),
                          estimate_text(pair.kl_ratio ? &*pair.kl_ratio : nullptr, Scale::factor)});
  return table;
}

}  // namespace trainer
