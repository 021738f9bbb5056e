#include "trainer/report/beyond_stream.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/report/category_figure.hpp"
#include "trainer/report/number_text.hpp"

namespace trainer {
namespace {

struct AskedSet {
  std::string_view name;  // empty: as they are trained
  std::string condition;  // with a trained clip
};

// As trained first, and the sets that any setting was asked.
std::vector<AskedSet> asked_sets(const Comparison& comparison) {
  std::vector<AskedSet> sets;
  for (const std::string_view name : k_question_sets) {
    const std::string condition = beyond_condition(name, condition::k_distractor_memorised);
    if (std::any_of(comparison.groups.begin(), comparison.groups.end(), [&](const VariantGroup& group) {
          return find_estimate(group, condition, measure::k_kl_to_base) != nullptr;
        }))
      sets.push_back({name, condition});
  }
  if (!sets.empty()) sets.insert(sets.begin(), {{}, std::string(condition::k_distractor_memorised)});
  return sets;
}

std::string accuracy_text(const VariantGroup& group, const AskedSet& set) {
  const Estimate* base = find_estimate(group, set.condition, measure::k_base_accuracy);
  if (!set.name.empty() && base != nullptr && base->value < k_base_knows_from) return "-";
  return estimate_text(find_estimate(group, set.condition, measure::k_accuracy), Scale::percent);
}

}  // namespace

Table beyond_table(const Comparison& comparison) {
  Table table{
      "Beyond the stream that retention sees, with a trained clip: the base's accuracy without audio in %, "
      "the "
      "accuracy (left out where the base has less than 60 %), and KL to the base in nats",
      {""},
      {}};
  const std::vector<AskedSet> sets = asked_sets(comparison);
  if (sets.empty()) return table;
  for (const AskedSet& set : sets) {
    const std::string title = set.name.empty() ? "as trained" : set_title(set.name);
    table.head.insert(table.head.end(), {title + ": base", "accuracy", "KL to base"});
  }
  for (const VariantGroup& group : comparison.groups) {
    std::vector<std::string>& row = table.rows.emplace_back(1, group.label);
    for (const AskedSet& set : sets) {
      const Estimate* base = find_estimate(group, set.condition, measure::k_base_accuracy);
      row.push_back(number_text(base == nullptr ? Maybe() : Maybe(base->value), Scale::percent));
      row.push_back(accuracy_text(group, set));
      row.push_back(estimate_text(find_estimate(group, set.condition, measure::k_kl_to_base), Scale::plain4));
    }
  }
  return table;
}

std::optional<Figure> beyond_figure(const Comparison& comparison, const Draw& draw) {
  const std::vector<AskedSet> sets = asked_sets(comparison);
  if (sets.empty()) return std::nullopt;
  CategoryChart chart{
      "beyond",
      "KL to the base on questions unlike those that retention sees",
      "Lower is better, and 0 has no place here. Bars are 95 % intervals; the numbers are in the table.",
      {},
      {},
      "set of questions",
      "KL to the base (nats)",
      CategoryChart::Axis::logarithm};
  for (const AskedSet& set : sets)
    chart.places.push_back(set.name.empty() ? "as trained" : set_title(set.name));
  for (std::size_t g = 0; g < comparison.groups.size(); ++g) {
    CategoryLine line{comparison.groups[g].label, g, CategoryLine::Stroke::none, {}};
    for (const AskedSet& set : sets)
      line.values.push_back(find_estimate(comparison.groups[g], set.condition, measure::k_kl_to_base));
    chart.lines.push_back(std::move(line));
  }
  return category_figure(chart, draw);
}

}  // namespace trainer
