// Numbers as people read them in tables: percent with one digit, "-" where there is no value.
#pragma once

#include <string>

#include "trainer/report/statistics.hpp"
#include "trainer/results/metrics.hpp"

namespace trainer {

enum class Scale {
  percent,  // of shares: 0.751 -> "75.1"
  points,   // of differences of shares: 0.023 -> "+2.3"
  plain3,   // "0.751"
  plain4,   // "0.0123"
  factor,   // "2.41"
  whole,    // "241"
};

[[nodiscard]] std::string number_text(double value, Scale scale);
[[nodiscard]] std::string number_text(Maybe value, Scale scale);
// "75.1 [70.2, 79.4]"; "-" for nullptr.
[[nodiscard]] std::string estimate_text(const Estimate* estimate, Scale scale);
// A p-value has no use for more than two digits.
[[nodiscard]] std::string p_text(double p);
// "42, 43, 44".
[[nodiscard]] std::string list_text(const std::vector<std::int64_t>& numbers);

}  // namespace trainer
