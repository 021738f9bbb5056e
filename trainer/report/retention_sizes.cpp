#include "trainer/report/retention_sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "trainer/report/category_figure.hpp"
#include "trainer/report/number_text.hpp"
#include "trainer/report/variant_groups.hpp"
#include "trainer/results/mechanism_record.hpp"

namespace trainer {
namespace {

constexpr const char* k_questions = "questions";

// 0 where the run has all of the pack's, or does not say.
std::int64_t questions_of(const common::Json& config) {
  const auto retention = config.find("retention");
  if (retention == config.end() || !retention->is_object()) return 0;
  const auto questions = retention->find(k_questions);
  return questions != retention->end() && questions->is_number_integer() ? questions->get<std::int64_t>() : 0;
}

std::string size_text(std::int64_t questions) { return questions == 0 ? "all" : std::to_string(questions); }

// "soft_retention (kl.weight 0.3, questions 32)" and "soft_retention, 32 questions", as whoever wrote a sweep
// may have named it -> "soft_retention (kl.weight 0.3)" and "soft_retention".
std::string name_without_questions(std::string name, std::int64_t questions) {
  const std::string said = fmt::format("{} {}", k_questions, questions);
  for (const std::string& text : {", " + said, said + ", ", " (" + said + ")",
                                  fmt::format(", {} {}", size_text(questions), k_questions)})
    if (const std::size_t at = name.find(text); at != std::string::npos) name.erase(at, text.size());
  return name;
}

// What is equal for the runs of one line. From how few questions a null space is refused changes nothing in
// one that is built.
std::string line_of(common::Json config, std::int64_t questions) {
  if (const auto name = config.find("name"); name != config.end() && name->is_string())
    *name = name_without_questions(name->get<std::string>(), questions);
  config.erase("null_space_min_samples");
  if (const auto retention = config.find("retention"); retention != config.end() && retention->is_object()) {
    retention->erase(k_questions);
    if (const auto space = retention->find("null_space"); space != retention->end() && space->is_object())
      space->erase("row_minimum");
  }
  return rest_of(config);
}

// All that any line has, in the order of the points.
std::vector<std::int64_t> sizes_of(const std::vector<SizeLine>& lines) {
  std::set<std::int64_t> sizes;
  for (const SizeLine& line : lines)
    for (const SizeLine::Point& point : line.points)
      if (!line.asks_none) sizes.insert(point.questions);
  std::vector<std::int64_t> ordered(sizes.begin(), sizes.end());
  if (!ordered.empty() && ordered.front() == 0)
    std::rotate(ordered.begin(), ordered.begin() + 1, ordered.end());
  return ordered;
}

const Estimate* estimate_at(const Comparison& comparison, const SizeLine& line, std::int64_t questions,
                            std::string_view measure) {
  for (const SizeLine::Point& point : line.points)
    if (line.asks_none || point.questions == questions)
      return find_estimate(comparison.groups[point.group], condition::k_distractor_memorised, measure);
  return nullptr;
}

Table size_table(const Comparison& comparison, const std::string& title, std::string_view measure,
                 Scale scale) {
  const std::vector<SizeLine> lines = size_lines(comparison);
  const std::vector<std::int64_t> sizes = sizes_of(lines);
  Table table{title, {""}, {}};
  for (const std::int64_t size : sizes) table.head.push_back(size_text(size));
  for (const SizeLine& line : lines) {
    std::vector<std::string>& row = table.rows.emplace_back(1, line.name);
    for (const std::int64_t size : sizes)
      row.push_back(estimate_text(estimate_at(comparison, line, size, measure), scale));
  }
  return table;
}

}  // namespace

std::vector<SizeLine> size_lines(const Comparison& comparison) {
  std::vector<SizeLine> lines;
  std::map<std::string, std::size_t> by_rest;
  for (std::size_t g = 0; g < comparison.groups.size(); ++g) {
    const VariantGroup& group = comparison.groups[g];
    const common::Json& config = comparison.runs[group.runs.front()].config;
    const std::int64_t questions = questions_of(config);
    const auto [place, is_new] = by_rest.try_emplace(line_of(config, questions), lines.size());
    if (is_new) {
      lines.push_back({name_without_questions(group.label, questions), {}, mechanisms_in(config).empty()});
    }
    lines[place->second].points.push_back({questions, g});
  }
  for (SizeLine& line : lines)
    std::sort(line.points.begin(), line.points.end(), [](const SizeLine::Point& a, const SizeLine::Point& b) {
      return std::pair(a.questions == 0, a.questions) < std::pair(b.questions == 0, b.questions);
    });
  const bool any_varies = std::any_of(lines.begin(), lines.end(), [](const SizeLine& line) {
    return !line.asks_none && line.points.size() > 1;
  });
  return any_varies ? lines : std::vector<SizeLine>();
}

Table size_accuracy_table(const Comparison& comparison) {
  return size_table(comparison,
                    "By the number of retention questions: VQA accuracy in % while a trained clip plays",
                    measure::k_accuracy, Scale::percent);
}

Table size_kl_table(const Comparison& comparison) {
  return size_table(comparison,
                    "By the number of retention questions: KL to the base in nats, with a trained clip",
                    measure::k_kl_to_base, Scale::plain4);
}

std::optional<Figure> size_figure(const Comparison& comparison, const Draw& draw) {
  const std::vector<SizeLine> lines = size_lines(comparison);
  if (lines.empty()) return std::nullopt;
  const std::vector<std::int64_t> sizes = sizes_of(lines);
  CategoryChart chart{"sizes",
                      "Skill kept, by the number of retention questions",
                      "",
                      {},
                      {},
                      "retention questions",
                      "VQA accuracy with a distractor (%)"};
  for (const std::int64_t size : sizes) chart.places.push_back(size_text(size));
  std::string names;
  for (const SizeLine& line : lines) {
    if (!line.asks_none && line.points.size() == 1) continue;  // of one number there is no line
    CategoryLine drawn{line.name,
                       chart.lines.size(),
                       line.asks_none ? CategoryLine::Stroke::dashed : CategoryLine::Stroke::solid,
                       {}};
    for (const std::int64_t size : sizes)
      drawn.values.push_back(estimate_at(comparison, line, size, measure::k_accuracy));
    names += (names.empty() ? "" : "; ") + line.name;
    chart.lines.push_back(std::move(drawn));
  }
  chart.description = "VQA accuracy while a trained clip plays, for " + names +
                      "; bars are 95 % intervals, and the numbers are in the table.";
  return category_figure(chart, draw);
}

}  // namespace trainer
