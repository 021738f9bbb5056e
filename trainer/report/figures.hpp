// The pictures of a report. Each has its numbers in a table too: of report_tables.hpp, or its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trainer/report/comparison.hpp"
#include "trainer/report/tables.hpp"

namespace trainer {

struct Figure {
  std::string title;
  std::string wide;    // SVG
  std::string narrow;  // for a phone; empty where the wide one is small enough
};

// "A", "B", ..., "Z", "A1", ...: names a group in pictures, beside its colour and shape.
[[nodiscard]] std::string letter_of(std::size_t group);
// The group's mark as the pictures draw it, for a legend.
[[nodiscard]] std::string mark_of(std::size_t group);

// VQA accuracy with a trained clip against token F1, a point a group; nothing where no group has both.
[[nodiscard]] std::optional<Figure> trade_off_figure(const Comparison& comparison);
[[nodiscard]] std::optional<Figure> sweep_figure(const Comparison& comparison);
// Measured drift of the retention inputs against the bound that the certificate gives.
[[nodiscard]] std::optional<Figure> drift_figure(const Comparison& comparison);

struct Curves {
  std::vector<Figure> figures;  // one for every recorded term
  Table table;                  // their values at a few steps
};
[[nodiscard]] Curves loss_curves(const Comparison& comparison);

}  // namespace trainer
