#include "trainer/report/markdown.hpp"

#include <set>

#include "trainer/report/number_text.hpp"
#include "trainer/report/tables.hpp"

namespace trainer {
namespace {

// Text in a table's cell: a bar would end the cell, a bracket or an angle could begin a link or a tag.
std::string cell_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("|\\`*<>").find(c) != std::string_view::npos) out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string markdown(const Table& table) {
  std::string out = "|";
  for (const std::string& head : table.head) out += " " + cell_text(head) + " |";
  out += "\n|---|";
  for (std::size_t i = 1; i < table.head.size(); ++i) out += "---:|";
  for (const auto& row : table.rows) {
    out += "\n|";
    for (const std::string& cell : row) out += " " + cell_text(cell) + " |";
  }
  return out + "\n";
}

std::string section(const char* title, const Table& table) {
  if (table.rows.empty()) return "";
  return std::string("\n## ") + title + "\n\n" + table.title + ".\n\n" + markdown(table);
}

Table run_table(const Comparison& comparison) {
  Table table{"The digest of a run's SHA256SUMS names every byte of it",
              {"", "seed", "run", "SHA-256 of SHA256SUMS"},
              {}};
  for (const VariantGroup& group : comparison.groups)
    for (const std::size_t r : group.runs) {
      const RunSummary& run = comparison.runs[r];
      table.rows.push_back(
          {group.label, run.seed ? std::to_string(*run.seed) : "-", run.name, run.sums_digest.hex()});
    }
  return table;
}

template <typename Key>
std::string each_once(const Comparison& comparison, const char* title, Key key) {
  std::set<std::string> values;
  for (const RunSummary& run : comparison.runs) values.insert(key(run));
  std::string out;
  for (const std::string& value : values) out += std::string("- ") + title + " `" + value + "`\n";
  return out;
}

}  // namespace

std::string to_markdown(const Comparison& comparison, const std::string& command) {
  std::string out = "# Results of the overfitting ablation\n\nWritten from run directories by\n\n```bash\n" +
                    command +
                    "\n```\n\nNothing in it was typed by hand; change the runs, not this file.\n\n" +
                    each_once(comparison, "pack", [](const RunSummary& run) { return run.pack_id; }) +
                    each_once(comparison, "base", [](const RunSummary& run) { return run.base_digest; }) +
                    "\n" + interval_note(comparison) + "\n";
  for (const std::string& warning : comparison.warnings)
    out += "\n**Warning:** " + cell_text(warning) + ".\n";
  return out + section("Retention", question_table(comparison)) +
         section("Other conditions", other_conditions_table(comparison)) +
         section("Audio skill", clip_table(comparison)) +
         section("Paired comparisons", paired_table(comparison)) +
         section("Gate sweep", sweep_table(comparison)) +
         section("Null space", null_space_table(comparison)) + section("Runs", run_table(comparison));
}

}  // namespace trainer
