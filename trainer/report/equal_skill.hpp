// What settings keep where they have learnt equally much. Who learns less forgets less, so the ends of two
// trainings compare two things at once; their learning curves (trainer/results/learning_curve.hpp) cross one
// level of audio skill each: nine tenths of what the one that gains least gains in the end, so that it is
// read on its way up as the others are. A setting without retention at that level is the rival called early
// stopping.
#pragma once

#include <vector>

#include "trainer/report/comparison.hpp"
#include "trainer/report/figures.hpp"
#include "trainer/report/tables.hpp"

namespace trainer {

// Fills at_skill and skill_pairs, from the groups and pairs that are there; a setting that is left out has a
// warning.
void compare_at_equal_skill(Comparison& comparison);

// No rows where no run was looked at while it was trained.
[[nodiscard]] Table at_skill_table(const Comparison& comparison);
[[nodiscard]] Table skill_pair_table(const Comparison& comparison);

// Accuracy and KL with a trained clip, and audio skill, over the steps; none where there is no curve.
[[nodiscard]] std::vector<Figure> learning_figures(const Comparison& comparison, const Draw& draw);

}  // namespace trainer
