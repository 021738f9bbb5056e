#include "trainer/report/equal_skill.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "common/error.hpp"
#include "trainer/report/item_panel.hpp"
#include "trainer/report/number_text.hpp"
#include "trainer/report/step_panel.hpp"

namespace trainer {
namespace {

// A setting is left out where it gains less than this over the base, or than half of what another gains: it
// would set the level for all where nothing is learnt yet.
constexpr double k_least_gain = 0.05, k_least_share = 0.5;
// Of the least gain. At the end itself a curve is flat, and chance decides where it is crossed.
constexpr double k_level_share = 0.9;

const std::vector<double>* skill_values(const CurvePoint& point) {
  const auto clips = point.tables.find(condition::k_memorised);
  if (clips == point.tables.end()) return nullptr;
  for (const std::string_view measure : {measure::k_token_f1, measure::k_accuracy})
    if (const auto found = clips->second.values.find(measure); found != clips->second.values.end())
      return &found->second;
  return nullptr;
}

double skill_at(const CurvePoint& point) { return mean_of(*skill_values(point)); }

// Looks at clips of known skill, from the base to the end.
bool has_curve(const RunSummary& run) {
  return run.curve.size() > 1 && std::all_of(run.curve.begin(), run.curve.end(), [](const CurvePoint& point) {
           return skill_values(point) != nullptr;
         });
}

const std::vector<std::string>& clips_seen(const RunSummary& run) {
  return run.curve.front().tables.find(condition::k_memorised)->second.ids;
}

double gain_of(const RunSummary& run) { return skill_at(run.curve.back()) - skill_at(run.curve.front()); }

double least_gain(const Comparison& comparison, const std::vector<std::size_t>& runs) {
  double least = 1;
  for (const std::size_t run : runs) least = std::min(least, gain_of(comparison.runs[run]));
  return least;
}

double level_of(const Comparison& comparison, const std::vector<std::size_t>& runs) {
  return skill_at(comparison.runs[runs.front()].curve.front()) + k_level_share * least_gain(comparison, runs);
}

// A setting, and its runs that can be compared.
struct Learner {
  const VariantGroup* group;
  std::vector<std::size_t> runs;
};

void leave_out(Comparison& comparison, const VariantGroup& group, const std::string& why) {
  comparison.warnings.push_back(group.label + " is not compared at equal audio skill: " + why);
}

// Those of one pack and base that looked at the same clips and learnt enough.
std::vector<Learner> learners_like(Comparison& comparison, const VariantGroup& like) {
  std::vector<Learner> learners;
  const std::vector<std::string>* clips = nullptr;
  for (const VariantGroup& group : comparison.groups) {
    if (group.pack_id != like.pack_id || group.base_digest != like.base_digest) continue;
    Learner learner{&group, {}};
    for (const std::size_t run : group.runs) {
      if (!has_curve(comparison.runs[run])) continue;
      if (clips == nullptr) clips = &clips_seen(comparison.runs[run]);
      if (clips_seen(comparison.runs[run]) == *clips) learner.runs.push_back(run);
    }
    learners.push_back(std::move(learner));
  }
  if (clips == nullptr) return {};
  double most = 0;
  for (const Learner& one : learners)
    if (!one.runs.empty()) most = std::max(most, least_gain(comparison, one.runs));
  std::erase_if(learners, [&](const Learner& one) {
    if (one.runs.empty()) {
      leave_out(comparison, *one.group, "none of its runs was looked at with the clips of the others");
      return true;
    }
    if (least_gain(comparison, one.runs) >= std::max(k_least_gain, k_least_share * most)) return false;
    leave_out(comparison, *one.group, "it learnt nothing, or less than half of what another learnt");
    return true;
  });
  return learners;
}

// The questions of a run where its skill is `level`, and what became of them.
struct Crossing {
  double step = 0;
  ItemTable questions;
  const ItemTable *at_start = nullptr, *at_end = nullptr;
};

ItemTable between(const ItemTable& before, const ItemTable& after, double share) {
  ENSURE(before.ids == after.ids);
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

const ItemTable* questions_at(const CurvePoint& point) {
  const auto found = point.tables.find(condition::k_distractor_memorised);
  return found == point.tables.end() ? nullptr : &found->second;
}

// Where the run first has the skill; nothing where it never has, or was asked nothing.
std::optional<Crossing> cross(const RunSummary& run, double level) {
  for (std::size_t i = 0; i < run.curve.size(); ++i) {
    const double skill = skill_at(run.curve[i]);
    if (skill < level) continue;
    const std::size_t j = i == 0 ? 0 : i - 1;
    const double earlier = skill_at(run.curve[j]);
    const double share = skill > earlier ? (level - earlier) / (skill - earlier) : 1;
    const ItemTable *before = questions_at(run.curve[j]), *after = questions_at(run.curve[i]),
                    *start = questions_at(run.curve.front()), *end = questions_at(run.curve.back());
    if (before == nullptr || after == nullptr || start == nullptr || end == nullptr) return std::nullopt;
    return Crossing{static_cast<double>(run.curve[j].step) +
                        share * static_cast<double>(run.curve[i].step - run.curve[j].step),
                    between(*before, *after, share), start, end};
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
    return panel([](const Crossing& one) { return &one.questions; });
  }
  [[nodiscard]] ItemPanel at_start() const {
    return panel([](const Crossing& one) { return one.at_start; });
  }
  [[nodiscard]] ItemPanel at_end() const {
    return panel([](const Crossing& one) { return one.at_end; });
  }

 private:
  template <typename Table>
  [[nodiscard]] ItemPanel panel(Table table) const {
    std::vector<const ItemTable*> tables;
    for (const Crossing& one : all) tables.push_back(table(one));
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

std::optional<AtSkill> at_skill(const Comparison& comparison, const Learner& learner, double level) {
  const Crossings crossings = cross_all(comparison, learner.runs, level);
  const ItemPanel panel = crossings.panel();
  if (!panel.has(measure::k_accuracy)) return std::nullopt;
  AtSkill at;
  at.label = learner.group->label;
  at.skill = level;
  at.steps = crossings.steps();
  at.accuracy = estimate_accuracy(panel.values(measure::k_accuracy));
  at.base_accuracy = mean_of(seed_means(crossings.at_start().values(measure::k_accuracy)));
  at.end_accuracy = estimate_accuracy(crossings.at_end().values(measure::k_accuracy));
  if (panel.has(measure::k_kl_to_base)) at.kl_to_base = estimate_kl(panel.values(measure::k_kl_to_base));
  return at;
}

std::optional<SkillComparison> compare_pair(const Comparison& comparison, const Learner& first,
                                            const Learner& second) {
  VariantGroup some_of_first = *first.group, some_of_second = *second.group;
  some_of_first.runs = first.runs;
  some_of_second.runs = second.runs;
  const SeedPairs seeds = pair_seeds(comparison, some_of_first, some_of_second);
  if (seeds.seeds.empty()) return std::nullopt;
  std::vector<std::size_t> runs = seeds.first;
  runs.insert(runs.end(), seeds.second.begin(), seeds.second.end());
  const double level = level_of(comparison, runs);
  const Crossings a = cross_all(comparison, seeds.first, level),
                  b = cross_all(comparison, seeds.second, level);
  ItemPanel before = a.panel(), after = b.panel();
  keep_common(before, after);
  if (!before.has(measure::k_accuracy) || !after.has(measure::k_accuracy)) return std::nullopt;
  const auto difference = [](const ItemPanel& from, const ItemPanel& to) {
    return estimate_mean(minus(to.values(measure::k_accuracy), from.values(measure::k_accuracy)));
  };
  SkillComparison pair;
  pair.first = first.group->label;
  pair.second = second.group->label;
  pair.skill = level;
  pair.seeds = seeds.seeds;
  pair.first_steps = a.steps();
  pair.second_steps = b.steps();
  pair.accuracy = difference(before, after);
  ItemPanel before_end = a.at_end(), after_end = b.at_end();
  before_end.keep(before.ids());
  after_end.keep(before.ids());
  pair.end_accuracy = difference(before_end, after_end);
  if (before.has(measure::k_kl_to_base) && after.has(measure::k_kl_to_base))
    pair.kl_ratio = ratio_of(before.values(measure::k_kl_to_base), after.values(measure::k_kl_to_base));
  return pair;
}

// Means over the items of each look, over the seeds, at the steps that all seeds have.
std::optional<StepLine> line_of(const Comparison& comparison, const VariantGroup& group,
                                std::string_view condition, std::string_view measure, double unit) {
  std::map<std::int64_t, std::vector<double>> by_step;
  for (const std::size_t run : group.runs)
    for (const CurvePoint& point : comparison.runs[run].curve) {
      const auto table = point.tables.find(condition);
      if (table == point.tables.end()) continue;
      const auto values = table->second.values.find(measure);
      if (values != table->second.values.end()) by_step[point.step].push_back(unit * mean_of(values->second));
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
  std::map<std::string, Learner> by_label;
  for (const VariantGroup& group : comparison.groups) {
    if (!settled.insert({group.pack_id, group.base_digest}).second) continue;
    const std::vector<Learner> learners = learners_like(comparison, group);
    if (learners.size() < 2) continue;
    std::vector<std::size_t> runs;
    for (const Learner& one : learners) {
      by_label.insert({one.group->label, one});
      runs.insert(runs.end(), one.runs.begin(), one.runs.end());
    }
    const double level = level_of(comparison, runs);
    for (const Learner& one : learners)
      if (auto at = at_skill(comparison, one, level)) comparison.at_skill.push_back(*std::move(at));
  }
  for (const PairedComparison& pair : comparison.paired) {
    const auto first = by_label.find(pair.first), second = by_label.find(pair.second);
    if (pair.condition != condition::k_distractor_memorised || first == by_label.end() ||
        second == by_label.end())
      continue;
    if (auto one = compare_pair(comparison, first->second, second->second))
      comparison.skill_pairs.push_back(*std::move(one));
  }
}

std::vector<Figure> learning_figures(const Comparison& comparison, const Draw& draw) {
  struct Panel {
    const char *id, *title;
    std::string_view condition, measure;
    double unit;  // of the axis
  };
  static constexpr std::array<Panel, 3> k_panels = {
      {{"learning-accuracy", "VQA accuracy in % while a trained clip plays",
        condition::k_distractor_memorised, measure::k_accuracy, 100},
       {"learning-kl", "KL to the base, nats, while a trained clip plays", condition::k_distractor_memorised,
        measure::k_kl_to_base, 1},
       {"learning-f1", "token F1 in % of captions of trained clips", condition::k_memorised,
        measure::k_token_f1, 100}}};
  std::vector<Figure> figures;
  for (const Panel& panel : k_panels) {
    std::map<std::size_t, StepLine> lines;
    std::int64_t last_step = 0;
    for (std::size_t g = 0; g < comparison.groups.size(); ++g)
      if (const std::optional<StepLine> line =
              line_of(comparison, comparison.groups[g], panel.condition, panel.measure, panel.unit)) {
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
      "Where training first reaches nine tenths of the audio skill that the setting with least of it gains "
      "(token F1 "
      "of trained clips in %, or their accuracy): the step (mean and range of the seeds), VQA accuracy in % "
      "while a "
      "trained clip plays, and KL to the base in nats, of what was looked at, on the lines between two "
      "looks. Without "
      "retention this is early stopping. The questions are those that were looked at, the first of the "
      "run's: "
      "beside it what the base has of them, and what was kept of them at the end",
      {"", "audio skill", "step", "questions", "base", "accuracy", "KL to base", "accuracy at the end"},
      {}};
  for (const AtSkill& at : comparison.at_skill)
    table.rows.push_back({at.label, number_text(at.skill, Scale::percent), steps_text(at.steps),
                          std::to_string(at.accuracy.items), number_text(at.base_accuracy, Scale::percent),
                          estimate_text(&at.accuracy, Scale::percent),
                          estimate_text(at.kl_to_base ? &*at.kl_to_base : nullptr, Scale::plain4),
                          estimate_text(&at.end_accuracy, Scale::percent)});
  return table;
}

Table skill_pair_table(const Comparison& comparison) {
  Table table{
      "Second against first at one audio skill, nine tenths of what the one with less of it gains: points of "
      "accuracy, and KL of the first divided by that of the second; beside it the points at the end of "
      "training, of the same questions, so that what the skill changes can be told from what these questions "
      "do. Secondary: intervals of each pair by itself",
      {"", "seeds", "audio skill", "step of the first", "step of the second", "questions", "accuracy",
       "KL ratio", "accuracy at the end"},
      {}};
  for (const SkillComparison& pair : comparison.skill_pairs)
    table.rows.push_back({pair.first + " → " + pair.second, std::to_string(pair.seeds.size()),
                          number_text(pair.skill, Scale::percent), steps_text(pair.first_steps),
                          steps_text(pair.second_steps), std::to_string(pair.accuracy.items),
                          estimate_text(&pair.accuracy, Scale::points),
                          estimate_text(pair.kl_ratio ? &*pair.kl_ratio : nullptr, Scale::factor),
                          estimate_text(&pair.end_accuracy, Scale::points)});
  return table;
}

}  // namespace trainer
