#include "common/cli/number.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <system_error>

#include "common/error.hpp"

namespace common {
namespace {

[[noreturn]] void refuse(const std::string& flag, const std::string& text, const char* why,
                         const std::string& give) {
  throw Error(ErrorKind::usage, fmt::format("{}: \"{}\" {}; give {}", flag, text.substr(0, 60), why, give));
}

bool is_inside(double value, RealRange range) {
  switch (range) {
    case RealRange::positive:
      return value > 0;
    case RealRange::not_negative:
      return value >= 0;
    case RealRange::share:
      return value >= 0 && value <= 1;
  }
  return false;
}

}  // namespace

std::string describe(const WholeRange& range) {
  const WholeRange all;
  if (range.least == all.least && range.most == all.most)
    return fmt::format("a whole number from {} to {}", all.least, all.most);
  if (range.most >= k_most) return fmt::format("a whole number, {} or more", range.least);
  return fmt::format("a whole number from {} to {}", range.least, range.most);
}

std::string describe(RealRange range) {
  if (range == RealRange::positive) return "a number above 0";
  return range == RealRange::not_negative ? "a number, 0 or more" : "a number from 0 to 1";
}

std::int64_t parse_whole(const std::string& flag, const std::string& text, const WholeRange& range) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [behind, failure] = std::from_chars(text.data(), end, value);
  if (failure == std::errc::invalid_argument || behind != end)
    refuse(flag, text, "is no whole number", describe(range));
  const bool is_negative = text.front() == '-';
  if (failure == std::errc::result_out_of_range)
    value = is_negative ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
  if ((failure == std::errc::result_out_of_range && !is_negative) || value > range.most)
    refuse(flag, text, "is too large",
           describe(range) + (range.most == k_most ? fmt::format(", at most {}", k_most) : ""));
  if (failure == std::errc::result_out_of_range || value < range.least)
    refuse(flag, text, "is too small", describe(range));
  return value;
}

double parse_real(const std::string& flag, const std::string& text, RealRange range) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [behind, failure] = std::from_chars(text.data(), end, value);
  if (failure == std::errc::invalid_argument || behind != end)
    refuse(flag, text, "is no number", describe(range));
  if (failure == std::errc::result_out_of_range)
    refuse(flag, text, "does not fit a 64-bit floating-point number", describe(range));
  if (!std::isfinite(value)) refuse(flag, text, "is not finite", describe(range));
  if (!is_inside(value, range)) refuse(flag, text, "is out of range", describe(range));
  return value;
}

}  // namespace common
