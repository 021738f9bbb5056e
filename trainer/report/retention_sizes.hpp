// What is kept as retention questions get scarce: settings that differ in nothing but the number of retention
// questions (--retention-size) are one line over those numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trainer/report/comparison.hpp"
#include "trainer/report/figures.hpp"
#include "trainer/report/tables.hpp"

namespace trainer {

struct SizeLine {
  std::string name;  // the groups' label without the number of questions
  // By number of questions, ascending; 0, which is all that the pack has, comes last. One group without
  // retention mechanisms, which asks no question, stands for every number.
  struct Point {
    std::int64_t questions = 0;
    std::size_t group = 0;  // of Comparison::groups
  };
  std::vector<Point> points;
  bool asks_none = false;
};
// Empty where no setting was run with two numbers.
[[nodiscard]] std::vector<SizeLine> size_lines(const Comparison& comparison);

// VQA accuracy with a trained clip, a row a line; no rows where there are no lines.
[[nodiscard]] Table size_accuracy_table(const Comparison& comparison);
// KL to the base, likewise.
[[nodiscard]] Table size_kl_table(const Comparison& comparison);
[[nodiscard]] std::optional<Figure> size_figure(const Comparison& comparison, const Draw& draw);

}  // namespace trainer
