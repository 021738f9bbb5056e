#include "trainer/report/number_text.hpp"

#include <fmt/format.h>

namespace trainer {

std::string number_text(double value, Scale scale) {
  switch (scale) {
    case Scale::percent:
      return fmt::format("{:.1f}", 100 * value);
    case Scale::points: {
      const std::string text = fmt::format("{:+.1f}", 100 * value);
      return text == "-0.0" ? "+0.0" : text;
    }
    case Scale::plain3:
      return fmt::format("{:.3f}", value);
    case Scale::plain4:
      return fmt::format("{:.4f}", value);
    case Scale::factor:
      return fmt::format("{:.2f}", value);
    case Scale::whole:
      return fmt::format("{:.0f}", value);
  }
  return "";
}

std::string number_text(Maybe value, Scale scale) { return value ? number_text(*value, scale) : "-"; }

std::string estimate_text(const Estimate* estimate, Scale scale) {
  if (estimate == nullptr) return "-";
  return fmt::format("{} [{}, {}]", number_text(estimate->value, scale),
                     number_text(estimate->interval.low, scale), number_text(estimate->interval.high, scale));
}

std::string p_text(double p) { return p < 1e-4 ? fmt::format("{:.1e}", p) : fmt::format("{:.2g}", p); }

std::string list_text(const std::vector<std::int64_t>& numbers) {
  return fmt::format("{}", fmt::join(numbers, ", "));
}

}  // namespace trainer
