// What is kept of questions that are unlike those that retention sees: the sets of question_set, beside the
// questions as they are trained.
#pragma once

#include <optional>

#include "trainer/report/comparison.hpp"
#include "trainer/report/figures.hpp"
#include "trainer/report/tables.hpp"

namespace trainer {

// A row a setting: of each set the base's accuracy, the accuracy with a trained clip, and the KL to the base.
// No rows where no such set was asked.
[[nodiscard]] Table beyond_table(const Comparison& comparison);
// KL to the base by set, a line a setting.
[[nodiscard]] std::optional<Figure> beyond_figure(const Comparison& comparison, const Draw& draw);

}  // namespace trainer
