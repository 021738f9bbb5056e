#include "trainer/report/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "common/terminal.hpp"
#include "trainer/report/beyond_stream.hpp"
#include "trainer/report/equal_skill.hpp"
#include "trainer/report/number_text.hpp"
#include "trainer/report/retention_sizes.hpp"
#include "trainer/report/tables.hpp"
#include "trainer/report/verdict.hpp"

namespace trainer {
namespace {

constexpr std::size_t k_line_width = 110;

// Columns as a terminal counts them: continuation bytes of UTF-8 take none.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// The first column is left-aligned, numbers are right-aligned.
std::string aligned(const Table& table) {
  std::vector<std::vector<std::string>> rows = {table.head};
  rows.insert(rows.end(), table.rows.begin(), table.rows.end());
  for (auto& row : rows)
    for (std::string& cell : row) cell = common::escape_for_terminal(cell);
  std::vector<std::size_t> widths(table.head.size(), 0);
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - width_of(row[i]), ' ');
      line += "  " + (i == 0 ? row[i] + space : space + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string wrapped(const std::string& text) {
  std::string out;
  std::size_t column = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::size_t length = end - begin;
    if (column > 0 && column + 1 + length > k_line_width) {
      out += "\n";
      column = 0;
    }
    out += (column > 0 ? " " : "") + text.substr(begin, length);
    column += length + (column > 0 ? 1 : 0);
    begin = end + 1;
  }
  return out + "\n";
}

// One value where all runs share it, otherwise one a group.
std::string shared_line(const Comparison& comparison, const char* title,
                        const std::function<std::string(const VariantGroup&)>& value) {
  const std::string first = value(comparison.groups.front());
  const bool shared = std::all_of(comparison.groups.begin(), comparison.groups.end(),
                                  [&](const VariantGroup& group) { return value(group) == first; });
  if (shared) return fmt::format("{}  {}\n", title, first);
  std::string out;
  for (const VariantGroup& group : comparison.groups)
    out += fmt::format("{}  {}  {}\n", title, value(group), common::escape_for_terminal(group.label));
  return out;
}

}  // namespace

std::string to_text(const Comparison& comparison) {
  std::string out =
      shared_line(comparison, "pack ", [](const VariantGroup& group) { return group.pack_id; }) +
      shared_line(comparison, "base ", [](const VariantGroup& group) { return group.base_digest; }) +
      shared_line(comparison, "seeds",
                  [&](const VariantGroup& group) { return list_text(seeds_of(comparison, group)); });
  for (const VariantGroup& group : comparison.groups)
    for (const std::size_t run : group.runs)
      out += fmt::format("run    {}  {}\n", common::escape_for_terminal(comparison.runs[run].path.string()),
                         common::escape_for_terminal(group.label));
  for (const Table& table :
       {size_accuracy_table(comparison), size_kl_table(comparison), beyond_table(comparison),
        question_table(comparison), other_conditions_table(comparison), clip_table(comparison),
        hearing_table(comparison), caption_scores_table(comparison), paired_table(comparison),
        at_skill_table(comparison), skill_pair_table(comparison), sweep_table(comparison),
        mechanism_table(comparison), gate_table(comparison), null_space_table(comparison),
        cost_table(comparison)})
    if (!table.rows.empty()) out += "\n" + wrapped(table.title) + aligned(table);
  for (const std::string& sentence : verdicts(comparison))
    out += "\n" + wrapped(common::escape_for_terminal(sentence));
  out += "\n" + wrapped(interval_note(comparison));
  for (const std::string& warning : comparison.warnings)
    out += "warning: " + common::escape_for_terminal(warning) + "\n";
  out.pop_back();  // the caller ends the last line
  return out;
}

}  // namespace trainer
