#include "trainer/report/comparison.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "common/error.hpp"
#include "trainer/report/equal_skill.hpp"
#include "trainer/report/item_panel.hpp"
#include "trainer/report/variant_groups.hpp"
#include "trainer/report/warnings.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

constexpr std::array<std::string_view, 4> k_shares = {measure::k_agreement, measure::k_negative_flips,
                                                      measure::k_positive_flips, measure::k_exact_match};
// In which settings are compared.
const std::vector<std::string>& distracted_conditions() {
  static const std::vector<std::string> k_conditions = [] {
    std::vector<std::string> names = {std::string(condition::k_distractor_memorised),
                                      std::string(condition::k_distractor_held_out)};
    for (const std::string_view set : k_question_sets)
      names.push_back(beyond_condition(set, condition::k_distractor_memorised));
    return names;
  }();
  return k_conditions;
}

bool is_beyond_stream(std::string_view condition) {
  return condition != condition::k_distractor_memorised && condition != condition::k_distractor_held_out;
}

template <typename Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Estimate estimate_measure(std::string_view name, const SeedsByItems& values) {
  if (contains(k_shares, name)) return estimate_share(values);
  if (name == measure::k_accuracy || name == measure::k_base_accuracy || name == measure::k_token_f1)
    return estimate_accuracy(values);
  return name == measure::k_kl_to_base ? estimate_kl(values) : estimate_mean(values);
}

void add_estimates(Comparison& comparison, VariantGroup& group) {
  std::set<std::string> conditions;
  for (const std::size_t run : group.runs)
    for (const auto& [name, table] : comparison.runs[run].tables) conditions.insert(name);
  for (const std::string& name : conditions) {
    // A gate sweep may have been asked of one seed alone.
    std::vector<std::size_t> runs;
    std::copy_if(group.runs.begin(), group.runs.end(), std::back_inserter(runs),
                 [&](std::size_t run) { return comparison.runs[run].tables.contains(name); });
    const ItemPanel panel = panel_of(comparison, runs, name);
    for (const auto& [what, unused] : comparison.runs[runs.front()].tables.at(name).values)
      if (panel.has(what)) group.estimates[name][what] = estimate_measure(what, panel.values(what));
  }
  const ItemPanel panel = panel_of(comparison, group.runs, condition::k_distractor_memorised);
  if (panel.has(measure::k_base_accuracy))
    group.retention = ratio_of(panel.values(measure::k_accuracy), panel.values(measure::k_base_accuracy));
}

void count_flips(PairedComparison& pair, const SeedsByItems& first, const SeedsByItems& second) {
  for (std::size_t s = 0; s < first.size(); ++s) {
    std::int64_t only_first = 0, only_second = 0;
    for (std::size_t i = 0; i < first[s].size(); ++i) {
      const bool right = first[s][i] >= k_right_from, other_right = second[s][i] >= k_right_from;
      only_first += right && !other_right ? 1 : 0;
      only_second += !right && other_right ? 1 : 0;
    }
    pair.mcnemar_p.push_back(mcnemar_exact(only_first, only_second));
    pair.only_first_right += only_first;
    pair.only_second_right += only_second;
  }
  pair.cohens_g = cohens_g(pair.only_first_right, pair.only_second_right);
}

std::optional<PairedComparison> compare_questions(const Comparison& comparison, const SeedPairs& seeds,
                                                  std::string_view condition) {
  ItemPanel first = panel_of(comparison, seeds.first, condition),
            second = panel_of(comparison, seeds.second, condition);
  keep_common(first, second);
  if (first.ids().empty()) return std::nullopt;
  PairedComparison pair;
  pair.condition = condition;
  pair.seeds = seeds.seeds;
  pair.items = static_cast<std::int64_t>(first.ids().size());
  const SeedsByItems before = first.values(measure::k_accuracy), after = second.values(measure::k_accuracy);
  pair.accuracy = estimate_mean(minus(after, before));
  count_flips(pair, before, after);
  const bool has_one_seed = seeds.seeds.size() == 1;
  if (has_one_seed) pair.accuracy_bootstrap = bootstrap_interval(minus(after, before).front(), "difference");
  pair.p = has_one_seed ? pair.mcnemar_p.front() : pair.accuracy.p;
  const auto difference = [&](std::string_view name) -> std::optional<Estimate> {
    if (!first.has(name) || !second.has(name)) return std::nullopt;
    return estimate_mean(minus(second.values(name), first.values(name)));
  };
  pair.agreement = difference(measure::k_agreement);
  pair.negative_flips = difference(measure::k_negative_flips);
  if (is_beyond_stream(condition) && first.has(measure::k_base_accuracy))
    pair.base_knows = mean_of(first.values(measure::k_base_accuracy).front()) >= k_base_knows_from;
  if (first.has(measure::k_kl_to_base) && second.has(measure::k_kl_to_base))
    pair.kl_ratio = ratio_of(first.values(measure::k_kl_to_base), second.values(measure::k_kl_to_base));
  return pair;
}

std::optional<ClipComparison> compare_clips(const Comparison& comparison, const SeedPairs& seeds,
                                            std::string_view group) {
  ItemPanel first = panel_of(comparison, seeds.first, group),
            second = panel_of(comparison, seeds.second, group);
  keep_common(first, second);
  if (first.ids().empty()) return std::nullopt;
  // Clips of a data set that is scored otherwise have none.
  if (!first.has(measure::k_token_f1) || !second.has(measure::k_token_f1)) return std::nullopt;
  ClipComparison pair;
  pair.group = group;
  pair.seeds = seeds.seeds;
  pair.token_f1 = estimate_mean(minus(second.values(measure::k_token_f1), first.values(measure::k_token_f1)));
  return pair;
}

void add_pair(Comparison& comparison, const VariantGroup& first, const VariantGroup& second) {
  const SeedPairs seeds = pair_seeds(comparison, first, second);
  if (seeds.seeds.empty()) {
    comparison.warnings.push_back(first.label + " and " + second.label +
                                  " have no seed in common, so they are not compared");
    return;
  }
  const auto named = [&](auto pair) {
    pair.first = first.label;
    pair.second = second.label;
    return pair;
  };
  for (const std::string& name : distracted_conditions())
    if (const auto pair = compare_questions(comparison, seeds, name))
      comparison.paired.push_back(named(*pair));
  for (const std::string_view name : k_audio_groups)
    if (const auto pair = compare_clips(comparison, seeds, name)) comparison.clips.push_back(named(*pair));
}

// The questions of another pack, or what another base knew, are not the same items.
bool are_comparable(const VariantGroup& a, const VariantGroup& b) {
  return a.pack_id == b.pack_id && a.base_digest == b.base_digest;
}

// From one number to the next that was tried: of 16, 32 and 128 questions, or of three weights.
bool is_next_number(const Comparison& comparison, const VariantGroup& first, const VariantGroup& second) {
  const auto change = [&](const VariantGroup& a, const VariantGroup& b) {
    return change_of_one_number(comparison.runs[a.runs.front()], comparison.runs[b.runs.front()]);
  };
  const std::optional<NumberChange> whole = change(first, second);
  if (!whole || whole->from >= whole->to) return false;
  return std::none_of(comparison.groups.begin(), comparison.groups.end(), [&](const VariantGroup& between) {
    const std::optional<NumberChange> part = change(first, between);
    return part && part->path == whole->path && part->from < part->to && part->to < whole->to;
  });
}

void add_pairs(Comparison& comparison) {
  const std::vector<VariantGroup>& groups = comparison.groups;
  // The one that is called so, or else the first whose name begins so.
  const auto first_like = [&](const VariantGroup& group, std::string_view title) {
    const auto exact = std::find_if(groups.begin(), groups.end(), [&](const VariantGroup& other) {
      return are_comparable(other, group) && other.label == title;
    });
    if (exact != groups.end()) return exact;
    return std::find_if(groups.begin(), groups.end(), [&](const VariantGroup& other) {
      return are_comparable(other, group) && other.label.rfind(title, 0) == 0;
    });
  };
  for (const VariantGroup& group : groups) {
    auto reference = first_like(group, "no_retention");
    if (reference == groups.end()) reference = first_like(group, "");
    if (&*reference != &group) add_pair(comparison, *reference, group);
    for (const VariantGroup& other : groups)
      if (are_comparable(other, group) && &other != &*reference &&
          (adds_one_mechanism(comparison.runs[other.runs.front()], comparison.runs[group.runs.front()]) ||
           is_next_number(comparison, other, group)))
        add_pair(comparison, other, group);
  }
}

// "a -> b", whatever arrow stands in it, and however many spaces.
std::string contrast_of(std::string text) {
  for (const std::string_view arrow : {"→", "->"})
    if (const std::size_t at = text.find(arrow); at != std::string::npos) {
      std::string first = text.substr(0, at), second = text.substr(at + arrow.size());
      first.erase(first.find_last_not_of(' ') + 1);
      second.erase(0, second.find_first_not_of(' '));
      return first + " -> " + second;
    }
  return text;
}

bool is_primary(const Comparison& comparison, const PairedComparison& pair) {
  return !comparison.primary.empty() && pair.condition == condition::k_distractor_memorised &&
         contrast_of(comparison.primary) == pair.first + " -> " + pair.second;
}

void require_primary(const Comparison& comparison) {
  if (comparison.primary.empty()) return;
  std::string contrasts;
  for (const PairedComparison& pair : comparison.paired) {
    if (pair.is_primary) return;
    if (pair.condition == condition::k_distractor_memorised)
      contrasts += "\n  " + pair.first + " -> " + pair.second;
  }
  throw Error(ErrorKind::usage,
              "--primary: these runs do not give \"" + comparison.primary + "\"; " +
                  (contrasts.empty() ? "they give no comparison" : "choose one of:" + contrasts));
}

// Tests for new questions of one seed, and for new seeds too, say different things: each kind is corrected
// for its own number. The primary comparison was chosen before its result was known, and needs no correction;
// questions that the base does not know test nothing.
void correct_p(Comparison& comparison) {
  for (PairedComparison& pair : comparison.paired) {
    pair.is_primary = is_primary(comparison, pair);
    pair.holm_p = pair.p;
  }
  require_primary(comparison);
  for (const bool of_one_seed : {true, false}) {
    std::vector<PairedComparison*> family;
    std::vector<double> p_values;
    for (PairedComparison& pair : comparison.paired)
      if (!pair.is_primary && pair.base_knows && (pair.seeds.size() == 1) == of_one_seed) {
        family.push_back(&pair);
        p_values.push_back(pair.p);
      }
    const std::vector<double> corrected = holm(p_values);
    for (std::size_t i = 0; i < family.size(); ++i) family[i]->holm_p = corrected[i];
  }
}

void require_own_scores(const Comparison& comparison) {
  std::set<std::pair<std::string, std::string>> scored;
  for (const CaptionScores& scores : comparison.caption_scores) {
    if (std::none_of(comparison.runs.begin(), comparison.runs.end(),
                     [&](const RunSummary& run) { return run.sums_digest.hex() == scores.run_digest; }))
      throw Error(ErrorKind::mismatch, "--caption-scores: scores of the run with the digest " +
                                           scores.run_digest +
                                           ", which is not among these runs; name that run too, or score the "
                                           "captions of these (safe-report captions)");
    if (!scored.insert({scores.run_digest, scores.clips}).second)
      throw Error(ErrorKind::mismatch, "--caption-scores: the " + scores.clips + " clips of the run " +
                                           scores.run_digest + " are scored twice; name one of the files");
  }
}

}  // namespace

Comparison compare_runs(const std::vector<fs::path>& runs, const ComparisonOptions& options) {
  if (runs.empty())
    throw Error(ErrorKind::usage, "there is no run to report on; name one run directory or more");
  Comparison comparison;
  std::set<std::string> names;
  for (const fs::path& run : runs) {
    comparison.runs.push_back(read_run(run, options.trusted_key));
    if (!names.insert(comparison.runs.back().name).second)
      throw Error(ErrorKind::usage,
                  "two of the runs are called " + comparison.runs.back().name + "; name each run once");
  }
  comparison.groups = group_runs(comparison.runs);
  for (VariantGroup& group : comparison.groups) add_estimates(comparison, group);
  add_pairs(comparison);
  compare_at_equal_skill(comparison);
  comparison.primary = options.primary;
  comparison.caption_scores = options.caption_scores;
  require_own_scores(comparison);
  correct_p(comparison);
  for (std::string& warning : warnings_about(comparison)) comparison.warnings.push_back(std::move(warning));
  return comparison;
}

const Estimate* find_estimate(const VariantGroup& group, std::string_view condition,
                              std::string_view measure) {
  const auto found = group.estimates.find(condition);
  if (found == group.estimates.end()) return nullptr;
  const auto estimate = found->second.find(measure);
  return estimate == found->second.end() ? nullptr : &estimate->second;
}

std::vector<std::int64_t> seeds_of(const Comparison& comparison, const VariantGroup& group) {
  std::vector<std::int64_t> seeds;
  for (const std::size_t run : group.runs) seeds.push_back(comparison.runs[run].seed.value_or(0));
  return seeds;
}

}  // namespace trainer
