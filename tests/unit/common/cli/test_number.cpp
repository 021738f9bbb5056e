#include <cmath>
#include <limits>

#include "common/cli/number.hpp"
#include "common/error.hpp"

#include <doctest/doctest.h>

using common::parse_real;
using common::parse_whole;
using common::RealRange;

namespace {

template <typename Parse>
std::string refusal(Parse parse) {
  try {
    (void)parse();
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::usage);
    return error.what();
  }
  return "taken";
}

std::string whole(const std::string& text, const common::WholeRange& range = common::k_positive_whole) {
  return refusal([&] { return parse_whole("--n", text, range); });
}
std::string real(const std::string& text, RealRange range = RealRange::positive) {
  return refusal([&] { return parse_real("--x", text, range); });
}

}  // namespace

TEST_CASE("a whole number is taken as it is, up to the ends of its range") {
  CHECK(parse_whole("--n", "1", common::k_positive_whole) == 1);
  CHECK(parse_whole("--n", "-9223372036854775808", {}) == std::numeric_limits<std::int64_t>::min());
  CHECK(parse_whole("--n", "9223372036854775807", {}) == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("a whole number that does not fit is refused with its range, never clamped") {
  CHECK(whole("0") == "--n: \"0\" is too small; give a whole number, 1 or more");
  CHECK(whole("-1") == "--n: \"-1\" is too small; give a whole number, 1 or more");
  CHECK(whole("100000000000000000000", {}) ==
        "--n: \"100000000000000000000\" is too large; give a whole number from -9223372036854775808 to "
        "9223372036854775807");
  CHECK(whole("-100000000000000000000", {}).find("is too small") != std::string::npos);
  CHECK(whole("2000000000").find("1 or more, at most 1000000000") != std::string::npos);
  CHECK(whole("5000", {8, 4096}) == "--n: \"5000\" is too large; give a whole number from 8 to 4096");
}

TEST_CASE("what is no whole number is refused") {
  for (const char* text :
       {"", "1e3", "1.5", "1.0", "0x10", "+1", " 1", "1 ", "1_000", "one", "nan", "-", "--1"}) {
    CAPTURE(text);
    CHECK(whole(text).find("is no whole number") != std::string::npos);
  }
}

TEST_CASE("a real number is finite and in its range") {
  CHECK(parse_real("--x", "5e-3", RealRange::positive) == 0.005);
  CHECK(parse_real("--x", "0", RealRange::not_negative) == 0);
  CHECK(parse_real("--x", "1", RealRange::share) == 1);
  CHECK(real("0") == "--x: \"0\" is out of range; give a number above 0");
  CHECK(real("-0.1", RealRange::not_negative) == "--x: \"-0.1\" is out of range; give a number, 0 or more");
  CHECK(real("1.01", RealRange::share) == "--x: \"1.01\" is out of range; give a number from 0 to 1");
  for (const char* text : {"nan", "inf", "-inf", "infinity", "1e999", "1e-999", "1,5", "", "5e", "x"}) {
    CAPTURE(text);
    CHECK(real(text) != "taken");
  }
}
