// A logarithmic y axis of a figure.
#pragma once

#include <string>

#include "trainer/report/statistics.hpp"

namespace trainer {

// Where the bar of an estimate above 0 begins: an interval that reaches 0 ends a hundredth of the value above
// it.
[[nodiscard]] double log_bar_low(const Estimate& estimate);
// The ends of the axis, with air around what it shows.
[[nodiscard]] Interval log_limits(double low, double high);
// How far up the axis a value stands, from 0 to 1.
[[nodiscard]] double log_height(double value, double low, double high);
// gnuplot's commands, with marks at 1, 2 and 5 times the powers of ten, or at every digit, or half of one,
// where that would be few.
[[nodiscard]] std::string log_axis_script(double low, double high);

}  // namespace trainer
