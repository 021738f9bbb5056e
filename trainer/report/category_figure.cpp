#include "trainer/report/category_figure.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/report/html.hpp"
#include "trainer/report/log_axis.hpp"

namespace trainer {
namespace {

struct Bar {
  double value, low, high;
};

std::optional<Bar> bar_of(const Estimate* estimate, CategoryChart::Axis axis) {
  if (estimate == nullptr) return std::nullopt;
  const Interval& interval = estimate->interval;
  if (axis == CategoryChart::Axis::percent)
    return Bar{100 * estimate->value, 100 * interval.low, 100 * interval.high};
  if (estimate->value <= 0) return std::nullopt;
  return Bar{estimate->value, log_bar_low(*estimate), interval.high};
}

struct Limits {
  double low = 1e300, high = -1e300;
  void add(const Bar& bar) { low = std::min(low, bar.low), high = std::max(high, bar.high); }
  // How far up the axis a value stands, from 0 to 1.
  [[nodiscard]] double height(double value, CategoryChart::Axis axis) const {
    if (axis == CategoryChart::Axis::percent) return (value - low) / (high - low);
    return log_height(value, low, high);
  }
  [[nodiscard]] Limits padded(CategoryChart::Axis axis) const {
    if (axis == CategoryChart::Axis::percent) return {std::max(low - 1, 0.0), std::min(high + 1, 100.4)};
    const Interval ends = log_limits(low, high);
    return {ends.low, ends.high};
  }
};

}  // namespace

std::optional<Figure> category_figure(const CategoryChart& chart, const Draw& draw) {
  std::string data, plot, labels;
  Limits limits;
  std::vector<double> ends;  // where the names of the lines stand
  std::vector<std::size_t> ended;
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    const CategoryLine& line = chart.lines[i];
    std::string rows;
    std::optional<Bar> last;
    for (std::size_t place = 0; place < line.values.size(); ++place) {
      const std::optional<Bar> bar = bar_of(line.values[place], chart.axis);
      if (!bar) continue;
      // Beside each other, so that intervals at one place can be told apart.
      const double shift = 0.05 * (static_cast<double>(i) - static_cast<double>(chart.lines.size()) / 2);
      rows +=
          fmt::format("{} {} {} {}\n", static_cast<double>(place) + shift, bar->value, bar->low, bar->high);
      limits.add(*bar);
      last = bar;
    }
    if (!last) continue;
    ends.push_back(last->value), ended.push_back(i);
    const std::string hue = colour::series(line.hue);
    data += fmt::format("$n{} << EOD\n{}EOD\n", i, rows);
    if (line.stroke != CategoryLine::Stroke::none)
      plot += fmt::format("{}$n{} using 1:2 with lines lw 1.6 {}lc rgb {}", plot.empty() ? "" : ", ", i,
                          line.stroke == CategoryLine::Stroke::dashed ? "dt 2 " : "", hue);
    plot += fmt::format("{}$n{} using 1:2:3:4 with yerrorbars pt {} ps 0.8 lw 1.2 lc rgb {}",
                        plot.empty() ? "" : ", ", i, point_type(line.hue), hue);
  }
  if (plot.empty()) return std::nullopt;
  limits = limits.padded(chart.axis);
  for (double& end : ends) end = limits.height(end, chart.axis);
  ends = spread_labels(ends, std::min(0.06, 1.0 / static_cast<double>(ends.size())));
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const CategoryLine& line = chart.lines[ended[i]];
    labels += fmt::format(
        "set label {} at graph 1.03,graph {} left textcolor rgb {} point pt {} ps 0.8 lw 1.2 lc rgb {} "
        "offset "
        "1,0\n",
        gnuplot_text(line.name, 34), ends[i], colour::k_ink, point_type(line.hue), colour::series(line.hue));
  }
  std::string ticks;
  for (std::size_t place = 0; place < chart.places.size(); ++place)
    ticks += fmt::format("{}{} {}", place == 0 ? "" : ", ", gnuplot_text(chart.places[place], 24), place);
  Figure figure{chart.title, "", ""};
  figure.wide = draw(
      {chart.id, 760, 380, chart.title, chart.description,
       axes_script() +
           (chart.axis == CategoryChart::Axis::logarithm
                ? log_axis_script(limits.low, limits.high)
                : fmt::format("set yrange [{}:{}]\n", limits.low, limits.high)) +
           fmt::format("set xrange [-0.3:{}]\nset xtics ({})\nset rmargin at screen "
                       "0.66\nset xlabel {} textcolor rgb {}\nset ylabel {} textcolor rgb {}\n",
                       static_cast<double>(chart.places.size()) - 0.7, ticks, gnuplot_text(chart.x_label, 60),
                       colour::k_muted, gnuplot_text(chart.y_label, 60), colour::k_muted) +
           labels + data + "set errorbars small\nplot " + plot + "\n"});
  return figure;
}

}  // namespace trainer
