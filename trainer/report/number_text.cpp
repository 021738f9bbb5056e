#include "trainer/report/number_text.hpp"

#include <fmt/format.h>

namespace trainer {
namespace {

// What rounds to nothing is neither more nor less than nothing.
std::string without_minus(const std::string& text, const char* sign) {
  const bool is_zero = text.front() == '-' && text.find_first_not_of("0.", 1) == std::string::npos;
  return is_zero ? sign + text.substr(1) : text;
}

// An end of an interval. Where rounding would put it on what stands for no difference, 0 points or a factor
// of 1, it is given the digits that tell on which side it lies.
std::string end_text(double value, Scale scale) {
  constexpr int k_most_digits = 5;
  const std::string text = number_text(value, scale);
  const bool is_points = scale == Scale::points;
  if (!is_points && scale != Scale::factor) return text;
  const double none = is_points ? 0 : 1;
  if (text != number_text(none, scale)) return text;
  for (int digits = is_points ? 2 : 3; digits <= k_most_digits; ++digits) {
    const std::string longer =
        is_points ? fmt::format("{:+.{}f}", 100 * value, digits) : fmt::format("{:.{}f}", value, digits);
    if (longer.substr(is_points ? 1 : 0) != fmt::format("{:.{}f}", none, digits)) return longer;
  }
  return text;
}

}  // namespace

std::string number_text(double value, Scale scale) {
  switch (scale) {
    case Scale::percent:
      return without_minus(fmt::format("{:.1f}", 100 * value), "");
    case Scale::points:
      return without_minus(fmt::format("{:+.1f}", 100 * value), "+");
    case Scale::plain3:
      return without_minus(fmt::format("{:.3f}", value), "");
    case Scale::plain4:
      return without_minus(fmt::format("{:.4f}", value), "");
    case Scale::factor:
      return without_minus(fmt::format("{:.2f}", value), "");
    case Scale::whole:
      return fmt::format("{:.0f}", value);
  }
  return "";
}

std::string number_text(Maybe value, Scale scale) { return value ? number_text(*value, scale) : "-"; }

std::string estimate_text(const Estimate* estimate, Scale scale) {
  if (estimate == nullptr) return "-";
  return fmt::format("{} [{}, {}]", number_text(estimate->value, scale),
                     end_text(estimate->interval.low, scale), end_text(estimate->interval.high, scale));
}

std::string p_text(double p) { return p < 1e-4 ? fmt::format("{:.1e}", p) : fmt::format("{:.2g}", p); }

std::string list_text(const std::vector<std::int64_t>& numbers) {
  return fmt::format("{}", fmt::join(numbers, ", "));
}

}  // namespace trainer
