// The pictures of a report but the curves, which curves.hpp has. Each has its numbers in a table too.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trainer/report/comparison.hpp"
#include "trainer/report/gnuplot.hpp"

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
// The shape of it, as gnuplot numbers them.
[[nodiscard]] int point_type(std::size_t group);
// A group's mark, letter and label, as it is called everywhere on the page.
[[nodiscard]] std::string group_html(const Comparison& comparison, std::size_t group);

// VQA accuracy with a trained clip against token F1, a point a group; nothing where no group has both.
[[nodiscard]] std::optional<Figure> trade_off_figure(const Comparison& comparison, const Draw& draw);
// KL to the base with a trained clip against token F1, likewise; nothing where fewer than two have both.
[[nodiscard]] std::optional<Figure> kl_trade_off_figure(const Comparison& comparison, const Draw& draw);
[[nodiscard]] std::optional<Figure> sweep_figure(const Comparison& comparison, const Draw& draw);
// What training changed in the outputs of one protected map on retention questions, as root mean square over
// questions' positions and the map's outputs; nothing of maps that are not square.
struct DriftReading {
  Maybe bound, before;  // on its inputs as they were before training: at most, and measured
  Maybe trained;        // on the trained model's inputs; of gates alone
};
[[nodiscard]] DriftReading drift_of(const RunSummary& run, const NullSpaceMetrics& space);
// `trained`, or else `before`, against `bound`.
[[nodiscard]] std::optional<Figure> drift_figure(const Comparison& comparison, const Draw& draw);

}  // namespace trainer
