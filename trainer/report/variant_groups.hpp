// Which runs belong together, and what to call them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "trainer/report/comparison.hpp"

namespace trainer {

// Runs whose config.json differs in the seed alone (and in what only says who computed it) are one group, in
// the order in which they were first named. A seed that is there twice begins a group of its own: a
// repetition is no evidence.
[[nodiscard]] std::vector<VariantGroup> group_runs(const std::vector<RunSummary>& runs);

// All of a config.json that makes a setting, as one line: equal for runs of one group.
[[nodiscard]] std::string rest_of(const common::Json& config);

// The second run is the first with one more retention mechanism switched on, and nothing else changed.
[[nodiscard]] bool adds_one_mechanism(const RunSummary& first, const RunSummary& second);

// One number of one retention mechanism, or of their questions, is all in which two runs differ.
struct NumberChange {
  std::string path;  // in config.json: "retention.kl.weight"
  double from = 0, to = 0;
};
[[nodiscard]] std::optional<NumberChange> change_of_one_number(const RunSummary& first,
                                                               const RunSummary& second);

// What else the settings of these runs differ in, but in the number of questions: every value of it ("-"
// where a run has none), by its path in config.json.
[[nodiscard]] std::map<std::string, std::set<std::string>> settings_beside_mechanisms(
    const std::vector<RunSummary>& runs);

}  // namespace trainer
