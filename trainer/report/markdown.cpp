#include "trainer/report/markdown.hpp"

#include <set>
#include <string_view>

#include "common/terminal.hpp"
#include "trainer/report/beyond_stream.hpp"
#include "trainer/report/equal_skill.hpp"
#include "trainer/report/number_text.hpp"
#include "trainer/report/retention_sizes.hpp"
#include "trainer/report/tables.hpp"
#include "trainer/report/verdict.hpp"
#include "trainer/report/words.hpp"

namespace trainer {
namespace {

bool begins(const std::string& text, std::size_t at, std::string_view with) {
  return text.compare(at, with.size(), with) == 0;
}

// Text of data in a table's cell or a line: a bar would end the cell, brackets, angles, an address or an
// ampersand could become a link, a tag or another character (CommonMark, and GitHub's links without
// brackets), and a control character acts on the terminal that shows the file.
std::string cell_text(const std::string& text) {
  const std::string shown = common::escape_message(text);
  std::string out;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const char c = shown[i];
    const bool ends_link_text =
        c == ']' && (begins(shown, i, "](") || begins(shown, i, "][") || begins(shown, i, "]:"));
    const bool is_address =
        begins(shown, i, "://") || (c == '.' && i >= 3 && begins(shown, i - 3, "www.")) || c == '@';
    if (c == '<') {  // also for readers that know no backslash before it
      out += "&lt;";
      continue;
    }
    if (ends_link_text || is_address || std::string_view("|\\`*>&~").find(c) != std::string_view::npos)
      out += '\\';
    out += c == '\n' || c == '\t' ? ' ' : c;
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

std::string words_section() {
  std::string out = "\n## Words\n\n";
  for (const auto& [word, meaning] : k_report_words)
    out += std::string("- **") + word + "**: " + meaning + "\n";
  return out;
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
                    common::escape_for_terminal(command) +
                    "\n```\n\nNothing in it was typed by hand; change the runs, not this file.\n\n" +
                    each_once(comparison, "pack", [](const RunSummary& run) { return run.pack_id; }) +
                    each_once(comparison, "base", [](const RunSummary& run) { return run.base_digest; }) +
                    "\n" + interval_note(comparison) + "\n";
  for (const std::string& warning : comparison.warnings)
    out += "\n**Warning:** " + cell_text(warning) + ".\n";
  for (const std::string& sentence : verdicts(comparison)) out += "\n" + cell_text(sentence) + "\n";
  return out + section("Retention by the number of questions", size_accuracy_table(comparison)) +
         section("KL by the number of questions", size_kl_table(comparison)) +
         section("Beyond the stream", beyond_table(comparison)) +
         section("Retention", question_table(comparison)) +
         section("Other conditions", other_conditions_table(comparison)) +
         section("Audio skill", clip_table(comparison)) +
         section("Is the sound heard?", hearing_table(comparison)) +
         section("Captions scored by another program", caption_scores_table(comparison)) +
         section("Paired comparisons", paired_table(comparison)) +
         section("At equal audio skill", at_skill_table(comparison)) +
         section("Pairs at equal audio skill", skill_pair_table(comparison)) +
         section("Gate sweep", sweep_table(comparison)) + section("Mechanisms", mechanism_table(comparison)) +
         section("Gate of the trained model", gate_table(comparison)) +
         section("Null space", null_space_table(comparison)) + section("Cost", cost_table(comparison)) +
         words_section() + section("Runs", run_table(comparison));
}

}  // namespace trainer
