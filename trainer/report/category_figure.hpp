// A figure of values over a few named places, such as numbers of questions or sets of them: a line, or
// points, for each setting.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "trainer/report/figures.hpp"
#include "trainer/report/statistics.hpp"

namespace trainer {

struct CategoryLine {
  std::string name;
  std::size_t hue = 0;  // a group's, whose colour it has
  enum class Stroke { solid, dashed, none } stroke = Stroke::solid;
  std::vector<const Estimate*> values;  // one a place; null: none
};

struct CategoryChart {
  std::string id;  // "sizes"
  std::string title, description;
  std::vector<std::string> places;
  std::vector<CategoryLine> lines;
  std::string x_label, y_label;
  // percent: shares, from 0 to 1. logarithm: numbers above 0; others are left out.
  enum class Axis { percent, logarithm } axis = Axis::percent;
};

// Nothing where no line has a value.
[[nodiscard]] std::optional<Figure> category_figure(const CategoryChart& chart, const Draw& draw);

}  // namespace trainer
