#include "trainer/report/warnings.hpp"

#include <fmt/format.h>

#include <set>

#include "trainer/report/variant_groups.hpp"
#include "trainer/results/config_keys.hpp"

namespace trainer {
namespace {

template <typename Key>
std::size_t distinct(const std::vector<RunSummary>& runs, Key key) {
  std::set<std::string> values;
  for (const RunSummary& run : runs) values.insert(key(run));
  return values.size();
}

std::string config_text(const RunSummary& run, const char* key) {
  return run.config.contains(key) ? common::dump_line(run.config.at(key)) : "";
}

void warn_of_other_data(const Comparison& comparison, std::vector<std::string>& warnings) {
  if (distinct(comparison.runs, [](const RunSummary& run) { return run.pack_id; }) > 1)
    warnings.push_back("the runs are of different packs: their numbers are of different questions and clips");
  if (distinct(comparison.runs, [](const RunSummary& run) { return run.base_digest; }) > 1)
    warnings.push_back("the runs are of different bases: compare each with its own base only");
  if (distinct(comparison.runs, [](const RunSummary& run) { return config_text(run, "git_commit"); }) > 1)
    warnings.push_back("the runs were made by different commits of this project");
  if (distinct(comparison.runs, [](const RunSummary& run) { return config_text(run, k_arithmetic); }) > 1)
    warnings.push_back(
        "the runs were computed by kernels of different processors: equal runs differ in last bits");
}

// Whatever they are called: longer training, say, learns and forgets more, whatever the mechanisms do.
void warn_of_other_settings(const Comparison& comparison, std::vector<std::string>& warnings) {
  const std::set<std::string> said = {"pack_id", "base_digest"};  // above
  std::string settings;
  for (const auto& [path, values] : settings_beside_mechanisms(comparison.runs))
    if (!said.contains(path))
      settings += fmt::format("{}{} ({})", settings.empty() ? "" : ", ", path, fmt::join(values, ", "));
  if (!settings.empty())
    warnings.push_back("the runs differ in " + settings +
                       ", so a difference between them need not come from the retention mechanisms");
}

// A model that learnt nothing forgets nothing either.
void warn_of_nothing_learnt(const Comparison& comparison, std::vector<std::string>& warnings) {
  for (const VariantGroup& group : comparison.groups) {
    const Estimate* gain = find_estimate(group, condition::k_memorised, measure::k_gain_over_base);
    if (gain == nullptr || gain->interval.low > 0) continue;
    warnings.push_back(
        fmt::format("{}: its captions are not shown to be better than the base's (gain {:+.1f} [{:+.1f}, "
                    "{:+.1f}] points of token F1), so the skill that it kept says nothing about retention",
                    group.label, 100 * gain->value, 100 * gain->interval.low, 100 * gain->interval.high));
  }
}

void warn_of_runs(const Comparison& comparison, std::vector<std::string>& warnings) {
  for (const RunSummary& run : comparison.runs) {
    if (run.metrics.bit_equal_without_audio == false)
      warnings.push_back(run.name +
                         ": without audio it does not equal the base, so it shows nothing about retention");
    for (const auto& [name, activity] : run.metrics.mechanisms)
      if (activity.acted_steps == 0)
        warnings.push_back(run.name + ": " + name + " was switched on and never acted");
  }
}

}  // namespace

std::vector<std::string> warnings_about(const Comparison& comparison) {
  std::vector<std::string> warnings;
  warn_of_other_data(comparison, warnings);
  warn_of_other_settings(comparison, warnings);
  warn_of_nothing_learnt(comparison, warnings);
  warn_of_runs(comparison, warnings);
  return warnings;
}

}  // namespace trainer
