// Several finished runs as one experiment: runs that differ in the seed alone are one group, every number has
// an interval, and groups of one pack and one base are compared over the same questions, clips and seeds.
// Everything here follows from the bytes of the runs: no clock, no path, no order of threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/report/caption_scores.hpp"
#include "trainer/report/statistics.hpp"
#include "trainer/results/run_summary.hpp"

namespace trainer {

using Estimates = std::map<std::string, Estimate, std::less<>>;  // by a name of `measure`

struct VariantGroup {
  // The variant; what is switched on where that is not what the variant's name says; and what else tells it
  // from the others: "soft_retention (kl.weight 0.3)".
  std::string label;
  std::string variant, pack_id, base_digest;
  std::vector<std::size_t> runs;  // of Comparison::runs, by seed
  std::map<std::string, Estimates, std::less<>>
      estimates;                      // by condition or audio group; of the seeds that have it
  std::optional<Estimate> retention;  // accuracy with a memorised clip / the base's; none where that is 0
};

// Two groups over the same questions of one condition, at the seeds that both have.
struct PairedComparison {
  std::string condition;
  std::string first, second;                          // labels
  std::vector<std::int64_t> seeds;                    // that both have
  std::int64_t items = 0;                             // that both have
  Estimate accuracy;                                  // second minus first
  std::optional<Interval> accuracy_bootstrap;         // of the same difference; of one seed
  std::optional<Estimate> agreement, negative_flips;  // second minus first, shares
  std::optional<Estimate> kl_ratio;  // KL to base of the first / of the second; above 1: the second is nearer
  std::int64_t only_first_right = 0, only_second_right = 0;  // over all seeds; right: accuracy >= 0.5
  double cohens_g = 0;
  std::vector<double> mcnemar_p;  // McNemar's exact test, two-sided, of every seed
  // Of the difference in accuracy: with one seed McNemar's, for new questions; with several that of
  // `accuracy`, for new questions and seeds. As if nothing else were compared.
  double p = 1;
  // Corrected for the number of comparisons of one seed, or else of those of several; of the primary one its
  // p.
  double holm_p = 1;
  bool is_primary = false;
  // False: questions unlike those that retention sees, of which the base itself answers too few for their
  // accuracy to say anything; p is of no family then.
  bool base_knows = true;
};

// What the base itself does not know cannot be lost: its accuracy from which a set of questions unlike those
// that retention sees is compared in accuracy.
inline constexpr double k_base_knows_from = 0.6;

// Two groups over the same clips.
struct ClipComparison {
  std::string group;          // a name of k_audio_groups
  std::string first, second;  // labels
  std::vector<std::int64_t> seeds;
  Estimate token_f1;  // second minus first
};

// A setting where its training first reaches some audio skill: between two looks every value is on the line
// that joins them. Skill: mean token F1 of the trained clips that were looked at, or their accuracy where
// they are scored so.
struct AtSkill {
  std::string label;
  double skill = 0;
  std::vector<double> steps;  // where each seed reaches it
  Estimate accuracy;          // with a trained clip, of the questions looked at
  std::optional<Estimate> kl_to_base;
  // Of the very questions that were looked at, which are the first of the run's: what the base has of them,
  // and the setting at the end of training.
  double base_accuracy = 0;
  Estimate end_accuracy;
};

// Two settings at one skill.
struct SkillComparison {
  std::string first, second;  // labels
  double skill = 0;
  std::vector<std::int64_t> seeds;
  std::vector<double> first_steps, second_steps;
  Estimate accuracy;                 // second minus first
  std::optional<Estimate> kl_ratio;  // of the first / of the second
  Estimate end_accuracy;             // second minus first at the end of training, of the same questions
};

struct Comparison {
  std::vector<RunSummary> runs;  // in the order asked for
  std::vector<VariantGroup> groups;
  // Every group against the one without retention (or the first), against each to which it adds one
  // mechanism, and against the one with the next smaller value of one number of a mechanism or of questions.
  std::vector<PairedComparison> paired;  // conditions with a distractor
  std::vector<ClipComparison> clips;
  // Of settings that were looked at while they were trained, and that learnt; equal_skill.hpp says at which
  // skill.
  std::vector<AtSkill> at_skill;             // all of one pack and base at one
  std::vector<SkillComparison> skill_pairs;  // the pairs of `paired`
  std::vector<std::string> warnings;         // e.g. of packs that differ
  std::string primary;                       // as it was asked for, or empty
  std::vector<CaptionScores> caption_scores;
};

struct ComparisonOptions {
  std::optional<std::filesystem::path> trusted_key{};  // the public key that must have signed every run
  // The contrast that was chosen before the runs, with a trained clip: "soft_retention -> full_safe".
  std::string primary{};
  std::vector<CaptionScores> caption_scores{};  // of these runs; of another one is a mismatch error
};
[[nodiscard]] Comparison compare_runs(const std::vector<std::filesystem::path>& runs,
                                      const ComparisonOptions& options = {});

[[nodiscard]] const Estimate* find_estimate(const VariantGroup& group, std::string_view condition,
                                            std::string_view measure);
[[nodiscard]] std::vector<std::int64_t> seeds_of(const Comparison& comparison, const VariantGroup& group);

}  // namespace trainer
