// The comparison as plain text: blocks of one line per run, columns aligned, "-" where there is no value.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "trainer/run/report_table.hpp"

namespace trainer {
namespace {

using Row = std::vector<std::string>;

std::string percent(Maybe value) { return value ? fmt::format("{:.1f}", 100 * *value) : "-"; }
std::string decimals(Maybe value, int digits) { return value ? fmt::format("{:.{}f}", *value, digits) : "-"; }

// A p-value has no use for more than two digits.
std::string p_text(double p) { return p < 1e-4 ? fmt::format("{:.1e}", p) : fmt::format("{:.2g}", p); }

// The first column is left-aligned, numbers are right-aligned.
std::string aligned(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line +=
          i == 0 ? fmt::format("  {:<{}}", row[i], widths[i]) : fmt::format("  {:>{}}", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

const ConditionMetrics* condition_of(const RunSummary& run, std::string_view name) {
  const auto found = run.metrics.validation.conditions.find(std::string(name));
  return found == run.metrics.validation.conditions.end() ? nullptr : &found->second;
}

const AudioMetrics* clips_of(const RunSummary& run, std::string_view name) {
  const auto found = run.metrics.validation.audio.find(std::string(name));
  return found == run.metrics.validation.audio.end() ? nullptr : &found->second;
}

std::string accuracy(const RunSummary& run, std::string_view name) {
  const ConditionMetrics* found = condition_of(run, name);
  return found == nullptr ? "-" : percent(found->accuracy);
}

std::string audio_value(const RunSummary& run, std::string_view group, Maybe AudioMetrics::*field) {
  const AudioMetrics* found = clips_of(run, group);
  return found == nullptr ? "-" : percent(found->*field);
}

std::string seed_of(const RunSummary& run) { return run.seed ? std::to_string(*run.seed) : "-"; }

// Runs are told apart by variant, and by seed where there are several; where that is not enough, by the
// folder.
std::vector<std::string> labels_of(const std::vector<RunSummary>& runs) {
  const bool one_seed = std::all_of(runs.begin(), runs.end(),
                                    [&](const RunSummary& run) { return run.seed == runs.front().seed; });
  const auto label = [&](const RunSummary& run) {
    return one_seed ? run.variant : fmt::format("{} (seed {})", run.variant, seed_of(run));
  };
  std::vector<std::string> labels;
  for (const RunSummary& run : runs) {
    const auto same = std::count_if(runs.begin(), runs.end(),
                                    [&](const RunSummary& other) { return label(other) == label(run); });
    labels.push_back(same == 1 ? label(run) : run.name);
  }
  return labels;
}

std::string equal_text(std::optional<bool> equal) { return equal ? (*equal ? "yes" : "NO") : "-"; }

std::string question_block(const Comparison& comparison, const std::vector<std::string>& labels) {
  std::vector<Row> rows = {{"", "base", "no audio", "= base", "silence", "trained clip", "new clip",
                            "retention", "agreement", "KL to base", "neg. flips"}};
  for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
    const RunSummary& run = comparison.runs[i];
    const SplitMetrics& metrics = run.metrics.validation;
    const ConditionMetrics* heard = condition_of(run, condition::k_distractor_memorised);
    rows.push_back({labels[i], percent(metrics.vl_base_accuracy), accuracy(run, condition::k_no_audio),
                    equal_text(run.metrics.bit_equal_without_audio), accuracy(run, condition::k_silence),
                    accuracy(run, condition::k_distractor_memorised),
                    accuracy(run, condition::k_distractor_held_out), decimals(metrics.retention_score, 3),
                    heard == nullptr ? "-" : percent(heard->agreement),
                    heard == nullptr ? "-" : decimals(heard->kl_to_base, 4),
                    heard == nullptr ? "-" : fmt::format("{}/{}", heard->negative_flips, heard->questions)});
  }
  return "Questions: VQA accuracy in %, without audio and while an irrelevant clip plays; retention, "
         "agreement, KL and\n"
         "flips are those of the trained clips\n" +
         aligned(rows);
}

std::string audio_block(const Comparison& comparison, const std::vector<std::string>& labels) {
  std::vector<Row> rows = {{"", "F1", "exact", "BLEU-4", "ROUGE-L", "CIDEr-D", "base F1", "shuffled F1",
                            "new F1", "new exact", "new base F1"}};
  for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
    const RunSummary& run = comparison.runs[i];
    const AudioMetrics* known = clips_of(run, condition::k_memorised);
    rows.push_back({labels[i], audio_value(run, condition::k_memorised, &AudioMetrics::token_f1),
                    audio_value(run, condition::k_memorised, &AudioMetrics::exact_match),
                    known == nullptr ? "-" : percent(known->bleu[3]),
                    audio_value(run, condition::k_memorised, &AudioMetrics::rouge_l),
                    known == nullptr ? "-" : decimals(known->cider_d, 2),
                    audio_value(run, condition::k_memorised, &AudioMetrics::base_token_f1),
                    audio_value(run, condition::k_memorised, &AudioMetrics::shuffled_token_f1),
                    audio_value(run, condition::k_held_out, &AudioMetrics::token_f1),
                    audio_value(run, condition::k_held_out, &AudioMetrics::exact_match),
                    audio_value(run, condition::k_held_out, &AudioMetrics::base_token_f1)});
  }
  return "Audio: captions of the clips it was trained on, then of new clips, in % (CIDEr-D: of 10)\n" +
         aligned(rows);
}

std::string pair_block(const Comparison& comparison, const std::vector<std::string>& labels) {
  if (comparison.paired.empty()) return "";
  const auto label_of = [&](const std::string& name) {
    const auto run = std::find_if(comparison.runs.begin(), comparison.runs.end(),
                                  [&](const RunSummary& one) { return one.name == name; });
    return labels[static_cast<std::size_t>(run - comparison.runs.begin())];
  };
  std::vector<Row> rows = {{"", "condition", "items", "points", "only 2nd right", "only 1st right", "p"}};
  for (const PairedComparison& pair : comparison.paired)
    rows.push_back({label_of(pair.first) + " -> " + label_of(pair.second), pair.condition,
                    std::to_string(pair.items), fmt::format("{:+.1f}", 100 * pair.accuracy_difference),
                    std::to_string(pair.only_second_right), std::to_string(pair.only_first_right),
                    p_text(pair.p_value)});
  return "Paired over the same questions: accuracy of the second minus the first, McNemar's exact test\n" +
         aligned(rows);
}

// One value where all runs share it, otherwise one a run.
std::string shared_line(const Comparison& comparison, const std::vector<std::string>& labels,
                        const char* title, const std::function<std::string(const RunSummary&)>& value) {
  const std::string first = value(comparison.runs.front());
  const bool shared = std::all_of(comparison.runs.begin(), comparison.runs.end(),
                                  [&](const RunSummary& run) { return value(run) == first; });
  if (shared) return fmt::format("{}  {}\n", title, first);
  std::string out;
  for (std::size_t i = 0; i < comparison.runs.size(); ++i)
    out += fmt::format("{}  {}  {}\n", title, value(comparison.runs[i]), labels[i]);
  return out;
}

}  // namespace

std::string to_text(const Comparison& comparison) {
  const std::vector<std::string> labels = labels_of(comparison.runs);
  std::string out =
      shared_line(comparison, labels, "pack", [](const RunSummary& run) { return run.pack_id; }) +
      shared_line(comparison, labels, "base", [](const RunSummary& run) { return run.base_digest; }) +
      shared_line(comparison, labels, "seed", seed_of);
  for (std::size_t i = 0; i < comparison.runs.size(); ++i)
    out += fmt::format("run   {}  {}\n", comparison.runs[i].path.string(), labels[i]);
  out += "\n" + question_block(comparison, labels) + "\n" + audio_block(comparison, labels);
  if (const std::string pairs = pair_block(comparison, labels); !pairs.empty()) out += "\n" + pairs;
  for (const std::string& warning : comparison.warnings) out += "\nwarning: " + warning;
  if (!comparison.warnings.empty()) out += "\n";
  return out;
}

}  // namespace trainer
