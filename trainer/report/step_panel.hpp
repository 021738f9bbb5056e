// A small picture of something over the steps of training, a line a setting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace trainer {

struct StepLine {
  struct Point {
    double step = 0, mean = 0, low = 0, high = 0;  // over the seeds
  };
  std::vector<Point> points;
  bool has_band = false;  // of several seeds
};

// gnuplot's commands for it; lines by group, whose colour and letter they have. Logarithmic where values
// above 0 span more than a factor of fifty; zeros are left out there.
[[nodiscard]] std::string step_panel_script(const std::map<std::size_t, StepLine>& lines,
                                            std::int64_t last_step);

}  // namespace trainer
