// The tables of a report as cells, for whoever writes them down: plain text, Markdown or HTML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trainer/report/comparison.hpp"

namespace trainer {

struct Table {
  std::string title;  // one sentence
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;  // as wide as the head; the first cell is the row's name
};

// Behind the name of the row that --primary names.
inline constexpr std::string_view k_primary_mark = " (primary)";

// Of a set beyond the stream, by its name in k_question_sets.
[[nodiscard]] std::string set_title(std::string_view set);

[[nodiscard]] Table question_table(const Comparison& comparison);
[[nodiscard]] Table other_conditions_table(const Comparison& comparison);
[[nodiscard]] Table clip_table(const Comparison& comparison);
// Only settings of which it was measured.
[[nodiscard]] Table hearing_table(const Comparison& comparison);
// No rows where none were given.
[[nodiscard]] Table caption_scores_table(const Comparison& comparison);
[[nodiscard]] Table paired_table(const Comparison& comparison);  // no rows where nothing is comparable
[[nodiscard]] Table sweep_table(const Comparison& comparison);   // no rows where no gate was swept
[[nodiscard]] Table null_space_table(const Comparison& comparison);
[[nodiscard]] Table gate_table(const Comparison& comparison);
[[nodiscard]] Table mechanism_table(const Comparison& comparison);

// Milliseconds of training a step. They are of a clock, so that two machines differ: no part of what a
// repository keeps.
[[nodiscard]] Table cost_table(const Comparison& comparison);

// What the intervals mean, in sentences; what they are depends on how many seeds there are.
[[nodiscard]] std::string interval_note(const Comparison& comparison);

}  // namespace trainer
