// One picture for every term of history.jsonl, and its values at a few steps.
#pragma once

#include <vector>

#include "trainer/report/figures.hpp"
#include "trainer/report/tables.hpp"

namespace trainer {

struct Curves {
  std::vector<Figure> figures;  // one for every recorded term
  Table table;                  // their values at a few steps
};
[[nodiscard]] Curves loss_curves(const Comparison& comparison, const Draw& draw);

}  // namespace trainer
