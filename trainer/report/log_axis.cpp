#include "trainer/report/log_axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace trainer {

double log_bar_low(const Estimate& estimate) { return std::max(estimate.interval.low, estimate.value / 100); }

Interval log_limits(double low, double high) { return {low / 1.3, high * 1.3}; }

double log_height(double value, double low, double high) {
  return std::log(value / low) / std::log(high / low);
}

namespace {

std::string marks_between(double low, double high, const std::vector<double>& factors) {
  std::string marks;
  for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10)
    for (const double factor : factors)
      if (const double mark = factor * power; mark >= low && mark <= high)
        marks += fmt::format("{}'{:g}' {:g}", marks.empty() ? "" : ", ", mark, mark);
  return marks;
}

}  // namespace

std::string log_axis_script(double low, double high) {
  // Within a factor of five every digit has a mark, within one of two every half, or there would be none.
  if (high < 2 * low) {
    std::vector<double> halves;
    for (int half = 2; half < 20; ++half) halves.push_back(0.5 * half);
    return fmt::format("set logscale y\nset yrange [{}:{}]\nset ytics ({})\n", low, high,
                       marks_between(low, high, halves));
  }
  const std::string marks = high < 5 * low ? marks_between(low, high, {1, 2, 3, 4, 5, 6, 7, 8, 9})
                                           : marks_between(low, high, {1, 2, 5});
  return fmt::format("set logscale y\nset yrange [{}:{}]\nset ytics ({})\n", low, high, marks);
}

}  // namespace trainer
