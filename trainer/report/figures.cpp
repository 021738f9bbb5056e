#include "trainer/report/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "trainer/report/html.hpp"
#include "trainer/report/log_axis.hpp"
#include "trainer/report/number_text.hpp"

namespace trainer {
namespace {

// gnuplot's point types that differ in shape as well as in colour, and the same shapes for the legend, in a
// box of -7..7.
struct Shape {
  int point_type;
  const char* svg;
};
constexpr std::array<Shape, 6> k_shapes = {
    {{7, "<circle r=\"5\"/>"},
     {5, "<rect x=\"-4.5\" y=\"-4.5\" width=\"9\" height=\"9\"/>"},
     {9, "<path d=\"M0,-6.5 L-6.5,3.5 L6.5,3.5 z\"/>"},
     {13, "<path d=\"M0,-6.5 L6.5,0 L0,6.5 L-6.5,0 z\"/>"},
     {11, "<path d=\"M0,6.5 L-6.5,-3.5 L6.5,-3.5 z\"/>"},
     {15, "<path d=\"M0,6 L5.7,1.9 L3.5,-4.9 L-3.5,-4.9 L-5.7,1.9 z\"/>"}}};

struct Point {
  std::size_t group;
  const Estimate* x;
  const Estimate* y;
};

struct Range {
  double low = 1e300, high = -1e300;
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // Air around it; shares stay within 0 and 100.
  [[nodiscard]] Range padded() const {
    const double air = std::max(0.06 * (high - low), 1.0);
    return {std::max(low - air, 0.0), std::min(high + air, 100.4)};
  }
};

// A step of 1, 2 or 5 times a power of ten, so that an axis has at most `most` marks.
double tick_step(const Range& range, double most) {
  const double least = (range.high - range.low) / most, power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= least) return factor * power;
  return 10 * power;
}

enum class Labels { names, letters };

// What a figure sets against audio skill.
struct Kept {
  std::string_view measure;
  const char* label;
  double unit = 1;  // of the axis
  bool is_logarithmic = false;
  Maybe base{};  // where the base without audio stands, on the axis

  [[nodiscard]] Range bar(const Estimate& estimate) const {
    return {unit * (is_logarithmic ? log_bar_low(estimate) : estimate.interval.low),
            unit * estimate.interval.high};
  }
  [[nodiscard]] Range padded(const Range& range) const {
    if (!is_logarithmic) return range.padded();
    const Interval ends = log_limits(range.low, range.high);
    return {ends.low, ends.high};
  }
  // How far up the axis, from 0 to 1.
  [[nodiscard]] double height(double value, const Range& range) const {
    return is_logarithmic ? log_height(value, range.low, range.high)
                          : (value - range.low) / (range.high - range.low);
  }
};

std::string trade_off_script(const Comparison& comparison, const std::vector<Point>& points, const Kept& kept,
                             Labels labels, double right_margin) {
  Range x, y;
  for (const Point& point : points) {
    x.add(100 * point.x->interval.low), x.add(100 * point.x->interval.high);
    const Range bar = kept.bar(*point.y);
    y.add(bar.low), y.add(bar.high);
  }
  if (kept.base) y.add(*kept.base);
  x = x.padded(), y = kept.padded(y);
  std::string script =
      axes_script() +
      (kept.is_logarithmic ? log_axis_script(y.low, y.high)
                           : fmt::format("set yrange [{}:{}]\n", y.low, y.high)) +
      fmt::format(
          "set rmargin at screen {}\nset xrange [{}:{}]\nset xtics {}\n"
          "set xlabel 'audio skill: token F1 (%)' textcolor rgb {}\nset ylabel '{}' textcolor rgb {}\n",
          right_margin, x.low, x.high, tick_step(x, labels == Labels::names ? 8 : 4), colour::k_muted,
          kept.label, colour::k_muted);
  if (kept.base)
    script += fmt::format(
        "set arrow from graph 0,first {0} to graph 1,first {0} nohead lc rgb {1} lw 1.5 dt 2\n"
        "set label 'base without audio' at graph 0.01,first {0} offset 0,0.6 textcolor rgb {1}\n",
        *kept.base, colour::k_muted);
  std::vector<double> heights;
  for (const Point& point : points) heights.push_back(kept.height(kept.unit * point.y->value, y));
  heights = spread_labels(heights, std::min(0.058, 1.0 / static_cast<double>(points.size())));
  std::string data, plot;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& [group, f1, measured] = points[i];
    const std::string hue = colour::series(group),
                      name = labels == Labels::names
                                 ? letter_of(group) + "  " + comparison.groups[group].label
                                 : letter_of(group);
    script += fmt::format(
        "set arrow from first {},first {} to graph 1.02,graph {} nohead lc rgb {} lw 0.6\n"
        "set label {} at graph 1.03,graph {} left textcolor rgb {}\n",
        100 * f1->value, kept.unit * measured->value, heights[i], colour::k_grid, gnuplot_text(name, 40),
        heights[i], colour::k_ink);
    const Range bar = kept.bar(*measured);
    data += fmt::format("$p{} << EOD\n{} {} {} {} {} {}\nEOD\n$s{} << EOD\n", i, 100 * f1->value,
                        kept.unit * measured->value, 100 * f1->interval.low, 100 * f1->interval.high, bar.low,
                        bar.high, i);
    for (std::size_t s = 0; s < std::min(f1->seeds.size(), measured->seeds.size()); ++s)
      data += fmt::format("{} {}\n", 100 * f1->seeds[s], kept.unit * measured->seeds[s]);
    data += "EOD\n";
    plot += fmt::format(
        "{0}$s{1} using 1:2 with points pt 6 ps 0.5 lw 1 lc rgb {2}, $p{1} using 1:2:3:4:5:6 with "
        "xyerrorbars pt {3} ps 1.1 lw 1.6 lc rgb {2}",
        plot.empty() ? "" : ", ", i, hue, point_type(group));
  }
  return script + data + "set errorbars small\nplot " + plot + "\n";
}

std::vector<Point> points_of(const Comparison& comparison, const Kept& kept) {
  std::vector<Point> points;
  for (std::size_t g = 0; g < comparison.groups.size(); ++g) {
    const VariantGroup& group = comparison.groups[g];
    const Estimate* f1 = find_estimate(group, condition::k_memorised, measure::k_token_f1);
    const Estimate* measured = find_estimate(group, condition::k_distractor_memorised, kept.measure);
    if (f1 != nullptr && measured != nullptr && (!kept.is_logarithmic || measured->value > 0))
      points.push_back({g, f1, measured});
  }
  return points;
}

}  // namespace

int point_type(std::size_t group) { return k_shapes[group % k_shapes.size()].point_type; }

std::string letter_of(std::size_t group) {
  const std::string letter(1, static_cast<char>('A' + group % 26));
  return group < 26 ? letter : letter + std::to_string(group / 26);
}

std::string mark_of(std::size_t group) {
  return fmt::format("<svg class=\"mark s{}\" viewBox=\"-7 -7 14 14\" aria-hidden=\"true\">{}</svg>",
                     group % colour::k_series, k_shapes[group % k_shapes.size()].svg);
}

std::string group_html(const Comparison& comparison, std::size_t group) {
  return mark_of(group) + letter_of(group) + " " + escape_html(comparison.groups[group].label);
}

std::optional<Figure> trade_off_figure(const Comparison& comparison, const Draw& draw) {
  Kept kept{measure::k_accuracy, "VQA accuracy with a distractor (%)", 100};
  const Maybe base = comparison.runs.front().metrics.validation.vl_base_accuracy;
  if (base) kept.base = 100 * *base;
  const std::vector<Point> points = points_of(comparison, kept);
  if (points.empty()) return std::nullopt;
  Figure figure{"Vision-language skill kept, against audio skill learnt", "", ""};
  std::string description = "Up and to the right is better. Bars are 95 % intervals, small rings the seeds.";
  for (const auto& [group, f1, accuracy] : points)
    description += fmt::format(" {}: token F1 {}, accuracy {}.", comparison.groups[group].label,
                               estimate_text(f1, Scale::percent), estimate_text(accuracy, Scale::percent));
  figure.wide = draw({"trade-off", 760, 430, figure.title, description,
                      trade_off_script(comparison, points, kept, Labels::names, 0.62)});
  figure.narrow = draw({"trade-off-narrow", 360, 380, figure.title, description,
                        trade_off_script(comparison, points, kept, Labels::letters, 0.92)});
  return figure;
}

std::optional<Figure> kl_trade_off_figure(const Comparison& comparison, const Draw& draw) {
  const Kept kept{measure::k_kl_to_base, "KL to the base (nats)", 1, true};
  const std::vector<Point> points = points_of(comparison, kept);
  if (points.size() < 2) return std::nullopt;  // one setting is no front
  Figure figure{"KL to the base, against audio skill learnt", "", ""};
  figure.wide = draw(
      {"kl-trade-off", 760, 430, figure.title,
       "Down and to the right is better: a setting with none below and to the right of it is on the Pareto "
       "front. A KL of 0 has no place here. The numbers are in the tables.",
       trade_off_script(comparison, points, kept, Labels::names, 0.62)});
  return figure;
}

std::optional<Figure> sweep_figure(const Comparison& comparison, const Draw& draw) {
  constexpr std::array<std::pair<double, std::string_view>, 4> gates = {{{0, condition::k_gate_0},
                                                                         {0.25, condition::k_gate_025},
                                                                         {0.5, condition::k_gate_05},
                                                                         {1, condition::k_gate_1}}};
  std::string data, plot, labels;
  std::vector<std::size_t> drawn;
  std::vector<double> ends;
  Range y;
  for (std::size_t g = 0; g < comparison.groups.size(); ++g) {
    std::string lines;
    for (const auto& [gate, name] : gates) {
      const Estimate* accuracy = find_estimate(comparison.groups[g], name, measure::k_accuracy);
      if (accuracy == nullptr) continue;
      // Beside each other, so that intervals at one gate can be told apart.
      const double x =
          gate + 0.006 * (static_cast<double>(g) - static_cast<double>(comparison.groups.size()) / 2);
      lines += fmt::format("{} {} {} {}\n", x, 100 * accuracy->value, 100 * accuracy->interval.low,
                           100 * accuracy->interval.high);
      y.add(100 * accuracy->interval.low), y.add(100 * accuracy->interval.high);
      if (gate == 1) ends.push_back(100 * accuracy->value), drawn.push_back(g);
    }
    if (lines.empty()) continue;
    data += fmt::format("$g{} << EOD\n{}EOD\n", g, lines);
    plot += fmt::format(
        "{0}$g{1} using 1:2 with lines lw 1.6 lc rgb {2}, $g{1} using 1:2:3:4 with yerrorbars pt {3} ps "
        "0.8 lw 1.2 lc rgb {2}",
        plot.empty() ? "" : ", ", g, colour::series(g), point_type(g));
  }
  if (plot.empty()) return std::nullopt;
  y = y.padded();
  for (double& end : ends) end = (end - y.low) / (y.high - y.low);
  ends =
      spread_labels(ends, std::min(0.06, 1.0 / static_cast<double>(std::max<std::size_t>(ends.size(), 1))));
  for (std::size_t i = 0; i < ends.size(); ++i)
    labels += fmt::format("set label '{}' at graph 1.02,graph {} left textcolor rgb {}\n",
                          letter_of(drawn[i]), ends[i], colour::k_ink);
  Figure figure{"Gate sweep", "", ""};
  figure.wide = draw(
      {"sweep", 480, 340, figure.title,
       "VQA accuracy with a trained clip while the gate opens from 0 to 1; the numbers are in the table.",
       axes_script() +
           fmt::format("set xrange [-0.06:1.06]\nset yrange [{}:{}]\nset xtics (0, 0.25, 0.5, 1)\nset "
                       "rmargin at screen 0.93\n"
                       "set xlabel 'gate' textcolor rgb {}\nset ylabel 'VQA accuracy (%)' textcolor rgb {}\n",
                       y.low, y.high, colour::k_muted, colour::k_muted) +
           labels + data + "set errorbars small\nplot " + plot + "\n"});
  return figure;
}

DriftReading drift_of(const RunSummary& run, const NullSpaceMetrics& space) {
  // Of the maps that end in as many numbers as they begin with; the projector's do not.
  const auto rms = [&](Maybe sum) -> Maybe {
    if (!sum || !space.layer || space.rows <= 0 || space.width <= 0 || *sum < 0) return std::nullopt;
    return std::sqrt(*sum / static_cast<double>(space.rows) / static_cast<double>(space.width));
  };
  DriftReading reading{rms(space.certificate), rms(space.measured_drift), std::nullopt};
  if (space.map == "gate")  // whose anchor is zero: what it gives is its drift
    for (const GateMetrics& gate : run.metrics.gate)
      if (gate.layer == space.layer) reading.trained = gate.retention.rms;
  return reading;
}

std::optional<Figure> drift_figure(const Comparison& comparison, const Draw& draw) {
  std::string data, plot;
  Range range;
  for (std::size_t g = 0; g < comparison.groups.size(); ++g) {
    std::string lines;
    for (const std::size_t r : comparison.groups[g].runs)
      for (const NullSpaceMetrics& space : comparison.runs[r].metrics.null_space) {
        const DriftReading reading = drift_of(comparison.runs[r], space);
        const Maybe drift = reading.trained ? reading.trained : reading.before;
        if (!reading.bound || !drift) continue;
        lines += fmt::format("{} {}\n", *reading.bound, *drift);
        range.add(*reading.bound), range.add(*drift);
      }
    if (lines.empty()) continue;
    data += fmt::format("$d{} << EOD\n{}EOD\n", g, lines);
    plot += fmt::format(", $d{} using 1:2 with points pt {} ps 1 lw 1.2 lc rgb {}", g, point_type(g),
                        colour::series(g));
  }
  // Where U leaves nothing outside, all is 0, and there is nothing to draw; the table has it.
  if (plot.empty() || range.high <= 0) return std::nullopt;
  const double high = 1.1 * range.high;
  Figure figure{"What the protected maps still do to retention questions, against the bound", "", ""};
  figure.wide = draw(
      {"drift", 400, 340, figure.title,
       "Root mean square of what training changed in the outputs of the protected maps, with the trained "
       "model's inputs where they were measured. On or below the line the bound holds. The numbers are in "
       "the table.",
       axes_script() +
           fmt::format("set xrange [0:{0}]\nset yrange [0:{0}]\nset rmargin 3\n"
                       "set xlabel 'bound: rms at most' textcolor rgb {1}\n"
                       "set ylabel 'rms measured' textcolor rgb {1}\n",
                       high, colour::k_muted) +
           data + fmt::format("plot x with lines lw 1.2 dt 2 lc rgb {}", colour::k_muted) + plot + "\n"});
  return figure;
}

}  // namespace trainer
