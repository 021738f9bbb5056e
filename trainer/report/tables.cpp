#include "trainer/report/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "trainer/report/figures.hpp"
#include "trainer/report/number_text.hpp"
#include "trainer/results/mechanism_record.hpp"

namespace trainer {
namespace {

std::string cell(const VariantGroup& group, std::string_view condition, std::string_view measure,
                 Scale scale) {
  return estimate_text(find_estimate(group, condition, measure), scale);
}

std::string optional_cell(const std::optional<Estimate>& estimate, Scale scale) {
  return estimate_text(estimate ? &*estimate : nullptr, scale);
}

// The mean over the seeds of what metrics.json says; corpus metrics are no means over items, so they have a
// range instead of an interval.
template <typename Value>
std::string range_over_seeds(const Comparison& comparison, const VariantGroup& group, Scale scale,
                             Value value) {
  double sum = 0, low = 0, high = 0;
  for (std::size_t i = 0; i < group.runs.size(); ++i) {
    const Maybe one = value(comparison.runs[group.runs[i]]);
    if (!one) return "-";
    sum += *one;
    low = i == 0 ? *one : std::min(low, *one);
    high = i == 0 ? *one : std::max(high, *one);
  }
  const std::string mean = number_text(sum / static_cast<double>(group.runs.size()), scale);
  if (group.runs.size() == 1) return mean;
  return fmt::format("{} ({} to {})", mean, number_text(low, scale), number_text(high, scale));
}

std::string equal_text(const Comparison& comparison, const VariantGroup& group) {
  bool known = true, equal = true;
  for (const std::size_t run : group.runs) {
    const std::optional<bool> one = comparison.runs[run].metrics.bit_equal_without_audio;
    known = known && one.has_value();
    equal = equal && one.value_or(false);
  }
  return known ? (equal ? "yes" : "NO") : "-";
}

const AudioMetrics* clips_of(const SplitMetrics& metrics, std::string_view name) {
  const auto found = metrics.audio.find(std::string(name));
  return found == metrics.audio.end() ? nullptr : &found->second;
}

// Half of the items have less; nothing where the run has none.
Maybe median_of(const RunSummary& run, std::string_view condition, std::string_view measure) {
  const auto table = run.tables.find(condition);
  if (table == run.tables.end()) return std::nullopt;
  const auto found = table->second.values.find(measure);
  if (found == table->second.values.end() || found->second.empty()) return std::nullopt;
  std::vector<double> values = found->second;
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

const ClipComparison* clips_of(const Comparison& comparison, const PairedComparison& pair) {
  const auto found =
      std::find_if(comparison.clips.begin(), comparison.clips.end(), [&](const ClipComparison& one) {
        return one.first == pair.first && one.second == pair.second && one.group == condition::k_memorised;
      });
  return found == comparison.clips.end() ? nullptr : &*found;
}

std::string condition_title(std::string_view name) {
  const ConditionParts parts = parts_of(name);
  if (!parts.set.empty()) return set_title(parts.set);
  return name == condition::k_distractor_memorised  ? "trained clip"
         : name == condition::k_distractor_held_out ? "new clip"
                                                    : std::string(name);
}

}  // namespace

std::string set_title(std::string_view set) {
  return set == question_set::k_unlike              ? "other words"
         : set == question_set::k_instruction_moved ? "instruction moved"
         : set == question_set::k_no_picture        ? "no picture"
                                                    : std::string(set);
}

Table question_table(const Comparison& comparison) {
  Table table{
      "Questions while an irrelevant clip plays: VQA accuracy in %; agreement, flips and KL (nats; its mean, "
      "which a few questions make, and its median, with the range over the seeds) are against the base, with "
      "a trained clip",
      {"", "seeds", "base", "trained clip", "new clip", "agreement", "KL to base", "median KL",
       "negative flips"},
      {}};
  for (const VariantGroup& group : comparison.groups) {
    const std::string_view heard = condition::k_distractor_memorised;
    table.rows.push_back(
        {group.label, std::to_string(group.runs.size()),
         number_text(comparison.runs[group.runs.front()].metrics.validation.vl_base_accuracy, Scale::percent),
         cell(group, heard, measure::k_accuracy, Scale::percent),
         cell(group, condition::k_distractor_held_out, measure::k_accuracy, Scale::percent),
         cell(group, heard, measure::k_agreement, Scale::percent),
         cell(group, heard, measure::k_kl_to_base, Scale::plain4),
         range_over_seeds(
             comparison, group, Scale::plain4,
             [&](const RunSummary& run) { return median_of(run, heard, measure::k_kl_to_base); }),
         cell(group, heard, measure::k_negative_flips, Scale::percent)});
  }
  return table;
}

Table other_conditions_table(const Comparison& comparison) {
  Table table{
      "The same questions without audio and with silence; retention is accuracy with a trained clip "
      "divided by the base's",
      {"", "no audio", "= base, every bit", "silence", "retention", "change of NLL"},
      {}};
  for (const VariantGroup& group : comparison.groups)
    table.rows.push_back(
        {group.label, cell(group, condition::k_no_audio, measure::k_accuracy, Scale::percent),
         equal_text(comparison, group),
         cell(group, condition::k_silence, measure::k_accuracy, Scale::percent),
         optional_cell(group.retention, Scale::plain3),
         cell(group, condition::k_distractor_memorised, measure::k_delta_nll, Scale::plain3)});
  return table;
}

Table clip_table(const Comparison& comparison) {
  Table table{
      "Captions in %, of clips it was trained on and of new ones; gain is token F1 over the base, which "
      "hears nothing; CIDEr-D is of 10",
      {"", "F1", "exact", "gain", "BLEU-4", "ROUGE-L", "CIDEr-D", "new F1", "new gain"},
      {}};
  const std::string_view known = condition::k_memorised, fresh = condition::k_held_out;
  for (const VariantGroup& group : comparison.groups) {
    const auto corpus = [&](Scale scale, auto value) {
      return range_over_seeds(comparison, group, scale, [&](const RunSummary& run) {
        const AudioMetrics* audio = clips_of(run.metrics.validation, known);
        return audio == nullptr ? Maybe() : value(*audio);
      });
    };
    table.rows.push_back({group.label, cell(group, known, measure::k_token_f1, Scale::percent),
                          cell(group, known, measure::k_exact_match, Scale::percent),
                          cell(group, known, measure::k_gain_over_base, Scale::points),
                          corpus(Scale::percent, [](const AudioMetrics& audio) { return audio.bleu[3]; }),
                          corpus(Scale::percent, [](const AudioMetrics& audio) { return audio.rouge_l; }),
                          corpus(Scale::factor, [](const AudioMetrics& audio) { return audio.cider_d; }),
                          cell(group, fresh, measure::k_token_f1, Scale::percent),
                          cell(group, fresh, measure::k_gain_over_base, Scale::points)});
  }
  return table;
}

Table hearing_table(const Comparison& comparison) {
  Table table{
      "Is the sound heard? Token F1 of a caption with the clip's own sound, less that with another clip's, "
      "in "
      "points, and p of no difference: of clips it was trained on, and of new ones",
      {"", "trained clips", "p", "new clips", "p"},
      {}};
  for (const VariantGroup& group : comparison.groups) {
    std::vector<std::string> row = {group.label};
    bool has_any = false;
    for (const std::string_view clips : k_audio_groups) {
      const Estimate* const gain = find_estimate(group, clips, measure::k_gain_over_shuffled);
      has_any = has_any || gain != nullptr;
      row.push_back(estimate_text(gain, Scale::points));
      row.push_back(gain == nullptr ? "-" : p_text(gain->p));
    }
    if (has_any) table.rows.push_back(std::move(row));
  }
  return table;
}

Table caption_scores_table(const Comparison& comparison) {
  Table table{
      "Captions as another program scored them, under its names; these numbers do not follow from the runs",
      {"", "seed", "clips"},
      {}};
  std::set<std::string> names;
  for (const CaptionScores& scores : comparison.caption_scores)
    for (const auto& [name, score] : scores.scores) names.insert(name);
  table.head.insert(table.head.end(), names.begin(), names.end());
  for (const VariantGroup& group : comparison.groups)
    for (const std::size_t r : group.runs)
      for (const CaptionScores& scores : comparison.caption_scores) {
        const RunSummary& run = comparison.runs[r];
        if (run.sums_digest.hex() != scores.run_digest) continue;
        std::vector<std::string>& row = table.rows.emplace_back();
        row = {group.label, run.seed ? std::to_string(*run.seed) : "-", scores.clips};
        for (const std::string& name : names) {
          const auto found = scores.scores.find(name);
          row.push_back(
              number_text(found == scores.scores.end() ? Maybe() : Maybe(found->second), Scale::plain4));
        }
      }
  return table;
}

Table paired_table(const Comparison& comparison) {
  Table table{
      "Second against first over the same questions, clips and seeds: points; KL of the first divided by "
      "that of the second; questions that only one answers right; p of no difference in accuracy, corrected "
      "for the number of comparisons (Holm), of one seed and of several apart. Of questions of which the "
      "base "
      "itself knows less than 60 % only agreement and KL are compared",
      {"", "condition", "accuracy", "by seed", "agreement", "negative flips", "KL ratio", "token F1",
       "only 2nd : only 1st", "Cohen's g", "p"},
      {}};
  const auto by_seed = [](const Estimate& estimate) {
    if (estimate.seeds.size() < 2) return std::string("-");
    std::string text;
    for (const double value : estimate.seeds)
      text += (text.empty() ? "" : ", ") + number_text(value, Scale::points);
    return text;
  };
  for (const PairedComparison& pair : comparison.paired) {
    const ClipComparison* clips = clips_of(comparison, pair);
    const auto if_known = [&](const std::string& text) { return pair.base_knows ? text : std::string("-"); };
    table.rows.push_back({pair.first + " → " + pair.second +
                              std::string(pair.is_primary ? k_primary_mark : std::string_view()),
                          condition_title(pair.condition),
                          if_known(estimate_text(&pair.accuracy, Scale::points)),
                          if_known(by_seed(pair.accuracy)), optional_cell(pair.agreement, Scale::points),
                          if_known(optional_cell(pair.negative_flips, Scale::points)),
                          optional_cell(pair.kl_ratio, Scale::factor),
                          estimate_text(clips == nullptr ? nullptr : &clips->token_f1, Scale::points),
                          if_known(fmt::format("{} : {}", pair.only_second_right, pair.only_first_right)),
                          if_known(fmt::format("{:+.2f}", pair.cohens_g)), if_known(p_text(pair.holm_p))});
  }
  return table;
}

Table sweep_table(const Comparison& comparison) {
  Table table{"Gate sweep: VQA accuracy in % with a trained clip, by gate", {""}, {}};
  std::vector<std::string_view> gates;
  for (const std::string_view name :
       {condition::k_gate_0, condition::k_gate_025, condition::k_gate_05, condition::k_gate_1})
    if (std::any_of(comparison.groups.begin(), comparison.groups.end(), [&](const VariantGroup& group) {
          return find_estimate(group, name, measure::k_accuracy) != nullptr;
        }))
      gates.push_back(name);
  for (const std::string_view gate : gates) table.head.push_back(std::string(gate.substr(5)));
  if (gates.empty()) return table;
  for (const VariantGroup& group : comparison.groups) {
    if (std::none_of(gates.begin(), gates.end(), [&](std::string_view gate) {
          return find_estimate(group, gate, measure::k_accuracy) != nullptr;
        }))
      continue;
    std::vector<std::string>& row = table.rows.emplace_back(1, group.label);
    for (const std::string_view gate : gates)
      row.push_back(cell(group, gate, measure::k_accuracy, Scale::percent));
  }
  return table;
}

Table null_space_table(const Comparison& comparison) {
  Table table{
      "Null space: the share of the map's change that lies in U, and the change's effect on the retention "
      "questions as root mean square of the map's outputs: at most, and measured, on the inputs that U was "
      "made of, and measured on the inputs of the trained model",
      {"", "seed", "map", "layer", "rank of U", "energy in U", "leak", "bound", "before training",
       "trained model"},
      {}};
  for (const VariantGroup& group : comparison.groups)
    for (const std::size_t r : group.runs)
      for (const NullSpaceMetrics& space : comparison.runs[r].metrics.null_space) {
        const DriftReading drift = drift_of(comparison.runs[r], space);
        const std::optional<std::int64_t> seed = comparison.runs[r].seed;
        table.rows.push_back(
            {group.label, seed ? std::to_string(*seed) : "-", space.map,
             space.layer ? std::to_string(*space.layer) : "-",
             space.width > 0 ? fmt::format("{} of {}", space.rank, space.width) : std::to_string(space.rank),
             number_text(space.energy, Scale::plain4), space.leak ? fmt::format("{:.2e}", *space.leak) : "-",
             number_text(drift.bound, Scale::plain3), number_text(drift.before, Scale::plain3),
             number_text(drift.trained, Scale::plain3)});
      }
  return table;
}

Table gate_table(const Comparison& comparison) {
  Table table{
      "Gate of the trained model, on retention questions while an irrelevant clip plays and on captions of "
      "training clips: rms of its argument Wg·h, mean of |tanh| (0 shut, 1 open), and the share of the "
      "energy of h that a null space leaves to it; the questions are those that U was made of, of which its "
      "energy leaves that share by construction",
      {"", "seed", "layer", "rms, questions", "rms, captions", "open, questions", "open, captions",
       "outside U, questions", "outside U, captions", "captions / questions"},
      {}};
  for (const VariantGroup& group : comparison.groups)
    for (const std::size_t r : group.runs)
      for (const GateMetrics& gate : comparison.runs[r].metrics.gate) {
        const auto &a = gate.retention, &b = gate.audio;
        const Maybe ratio =
            a.outside && b.outside && *a.outside > 0 ? Maybe(*b.outside / *a.outside) : std::nullopt;
        const std::optional<std::int64_t> seed = comparison.runs[r].seed;
        std::vector<std::string> row = {group.label, seed ? std::to_string(*seed) : "-",
                                        std::to_string(gate.layer)};
        for (const Maybe& value : {a.rms, b.rms, a.mean, b.mean, a.outside, b.outside})
          row.push_back(number_text(value, Scale::plain4));
        row.push_back(number_text(ratio, Scale::plain3));
        table.rows.push_back(std::move(row));
      }
  return table;
}

Table mechanism_table(const Comparison& comparison) {
  Table table{
      "Mechanisms: in how many steps each acted, its largest gradient norm or the most that it took out "
      "(a null space: the share of the task's gradient), and what it measured of the trained model",
      {"", "seed", "mechanism", "settings", "acted", "of", "largest", "measured"},
      {}};
  for (const VariantGroup& group : comparison.groups)
    for (const std::size_t r : group.runs)
      for (const MechanismRecord& mechanism : mechanisms_in(comparison.runs[r].config)) {
        const auto& all = comparison.runs[r].metrics.mechanisms;
        const auto activity = all.find(mechanism.key);
        if (activity == all.end()) continue;  // a run that was judged again did not train
        std::string settings, measured;
        for (const auto& [name, value] : mechanism.settings.items())
          settings += fmt::format("{}{} {}", settings.empty() ? "" : ", ", name,
                                  value.is_string() ? value.get<std::string>() : common::dump_line(value));
        for (const auto& [name, value] : activity->second.measured)
          measured += fmt::format("{}{} {}", measured.empty() ? "" : ", ", name,
                                  value ? fmt::format("{:.4g}", *value) : "-");
        const std::optional<std::int64_t> seed = comparison.runs[r].seed;
        table.rows.push_back(
            {group.label, seed ? std::to_string(*seed) : "-", mechanism.title, settings,
             std::to_string(activity->second.acted_steps), std::to_string(activity->second.enabled_steps),
             activity->second.largest ? fmt::format("{:.3g}", *activity->second.largest) : "-",
             measured.empty() ? "-" : measured});
      }
  return table;
}

Table cost_table(const Comparison& comparison) {
  Table table{
      "What the mechanisms cost: milliseconds of training, preparation included, by step, on the machine "
      "that trained and "
      "beside "
      "what else ran on it (mean, and the range over the seeds; a run that was resumed has none)",
      {"", "ms a step"},
      {}};
  bool has_any = false;
  for (const VariantGroup& group : comparison.groups) {
    const std::string text = range_over_seeds(comparison, group, Scale::whole, [](const RunSummary& run) {
      if (!run.training_s) return Maybe();
      const std::map<std::string, HistoryCurve> curves = read_history(run.path);
      const auto loss = curves.find("total_loss");
      if (loss == curves.end() || loss->second.steps.empty()) return Maybe();
      return Maybe(1000 * *run.training_s / static_cast<double>(loss->second.steps.size()));
    });
    has_any = has_any || text != "-";
    table.rows.push_back({group.label, text});
  }
  if (!has_any) table.rows.clear();
  return table;
}

std::string interval_note(const Comparison& comparison) {
  const auto several = std::count_if(comparison.groups.begin(), comparison.groups.end(),
                                     [](const VariantGroup& group) { return group.runs.size() > 1; });
  std::string note = "Square brackets are 95 % intervals. ";
  if (several > 0)
    note +=
        "Where a row has several seeds they hold for new questions (or clips) and new seeds: a generalised "
        "confidence interval of crossed random effects, corrected for skewness. Two seeds say little about "
        "seeds, and such an interval is wide. ";
  if (several < static_cast<std::ptrdiff_t>(comparison.groups.size()))
    note +=
        "Where a row has one seed they hold for new questions (or clips) of that seed alone, by Wilson for "
        "shares; how much another seed would change is not in them. ";
  if (comparison.paired.empty()) return note;
  note += fmt::format(
      "p is that of the interval, or of McNemar's exact test where there is one seed, which knows nothing of "
      "other seeds: it falls where a second seed would raise it, and is corrected apart. {} comparisons are "
      "shown. ",
      comparison.paired.size());
  note +=
      comparison.primary.empty()
          ? "No comparison was named as the primary one (--primary), so all are corrected."
          : "The primary comparison was named by whoever made the report, and its p is not corrected: that "
            "holds if it was chosen before the runs.";
  return note;
}

}  // namespace trainer
