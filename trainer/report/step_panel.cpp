#include "trainer/report/step_panel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "trainer/report/figures.hpp"

namespace trainer {
namespace {

// What of a panel is drawn before its axes are known.
struct Panel {
  std::string data, bands, lines;
  std::vector<std::size_t> groups;
  std::vector<double> ends;  // where each group's line ends
  double least = 1e300, least_positive = 1e300, most = -1e300;
};

void add_line(Panel& panel, std::size_t group, const StepLine& line) {
  if (line.points.empty()) return;
  std::string rows;
  for (const StepLine::Point& point : line.points) {
    rows += fmt::format("{:.6g} {:.6g} {:.6g} {:.6g}\n", point.step, point.mean, point.low, point.high);
    panel.most = std::max(panel.most, point.high);
    panel.least = std::min(panel.least, point.low);
    if (point.low > 0) panel.least_positive = std::min(panel.least_positive, point.low);
  }
  panel.data += fmt::format("$c{} << EOD\n{}EOD\n", group, rows);
  panel.groups.push_back(group);
  panel.ends.push_back(line.points.back().mean);
  if (line.has_band)
    panel.bands +=
        fmt::format("$c{} using 1:3:4 with filledcurves fc rgb {} fs transparent solid 0.18 noborder, ",
                    group, colour::series(group));
  panel.lines +=
      fmt::format("{}$c{} using 1:2 with lines lw 1.6 dt {} lc rgb {}", panel.lines.empty() ? "" : ", ",
                  group, 1 + group / static_cast<std::size_t>(colour::k_series), colour::series(group));
}

}  // namespace

std::string step_panel_script(const std::map<std::size_t, StepLine>& all, std::int64_t last_step) {
  Panel panel;
  for (const auto& [group, line] : all) add_line(panel, group, line);
  if (panel.groups.empty()) return "";
  // Zeros, as before a mechanism begins, have no place on a logarithmic axis and are left out there.
  const bool is_wide = panel.least >= 0 && panel.most > 50 * panel.least_positive;
  const auto height = [&](double value) {
    return is_wide ? std::log10(std::max(value, panel.least_positive)) : value;
  };
  double low = height(is_wide ? panel.least_positive : panel.least), high = height(panel.most);
  const double air = std::max(0.05 * (high - low), 1e-9 + 1e-3 * std::abs(high));
  low -= air, high += air;
  std::vector<double> ends;
  for (const double end : panel.ends)
    ends.push_back(std::clamp((height(end) - low) / (high - low), 0.0, 1.0));
  // In as many columns as keep those above each other apart; from the lowest up, by turns.
  constexpr std::size_t k_in_a_column = 10;
  const std::size_t columns = (ends.size() + k_in_a_column - 1) / k_in_a_column;
  ends = spread_labels(
      ends, std::min(0.085 / static_cast<double>(columns), 1.0 / static_cast<double>(ends.size())));
  std::vector<std::size_t> order(ends.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return ends[a] < ends[b]; });
  std::string labels;
  for (std::size_t rank = 0; rank < order.size(); ++rank)
    labels += fmt::format(
        "set label '{}' at graph {},graph {} left textcolor rgb {}\n", letter_of(panel.groups[order[rank]]),
        1.02 + 0.06 * static_cast<double>(rank % columns), ends[order[rank]], colour::k_ink);
  const auto back = [&](double value) { return is_wide ? std::pow(10, value) : value; };
  return axes_script() +
         fmt::format(
             "set xrange [0:{}]\nset rmargin {}\nset xlabel 'step' textcolor rgb {}\nset format y '%g'\n{}"
             "set yrange [{}:{}]\n",
             last_step, 3 + 2 * columns, colour::k_muted, is_wide ? "set logscale y\n" : "", back(low),
             back(high)) +
         labels + panel.data + "plot " + panel.bands + panel.lines + "\n";
}

}  // namespace trainer
