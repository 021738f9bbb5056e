#include "trainer/report/number_text.hpp"

#include <doctest/doctest.h>

using namespace trainer;

TEST_CASE("what rounds to nothing has no minus, and what does not keeps its own") {
  CHECK(number_text(-1e-9, Scale::plain4) == "0.0000");
  CHECK(number_text(-1e-9, Scale::plain3) == "0.000");
  CHECK(number_text(-1e-9, Scale::percent) == "0.0");
  CHECK(number_text(-1e-9, Scale::points) == "+0.0");
  CHECK(number_text(-0.0, Scale::factor) == "0.00");
  CHECK(number_text(-0.0001, Scale::plain4) == "-0.0001");
  CHECK(number_text(-0.002, Scale::points) == "-0.2");
  CHECK(number_text(-0.5, Scale::percent) == "-50.0");
  CHECK(number_text(0.002, Scale::points) == "+0.2");
}

TEST_CASE(
    "an end of an interval that rounding would put on no difference shows on which side of it it lies") {
  const auto text = [](double value, double low, double high, Scale scale) {
    const Estimate estimate{.value = value, .interval = {low, high}, .seeds = {}};
    return estimate_text(&estimate, scale);
  };
  CHECK(text(-0.015, -0.029, -0.0002, Scale::points) == "-1.5 [-2.9, -0.02]");
  CHECK(text(0.015, 0.000004, 0.03, Scale::points) == "+1.5 [+0.0004, +3.0]");
  CHECK(text(-0.015, -0.03, 0.0, Scale::points) == "-1.5 [-3.0, +0.0]");
  CHECK(text(-0.015, -0.03, -1e-12, Scale::points) == "-1.5 [-3.0, +0.0]");
  CHECK(text(1.2, 1.0004, 1.4, Scale::factor) == "1.20 [1.0004, 1.40]");
  CHECK(text(0.9, 0.8, 0.998, Scale::factor) == "0.90 [0.80, 0.998]");
  CHECK(text(0.9, 0.8, 1.0, Scale::factor) == "0.90 [0.80, 1.00]");
  CHECK(text(0.0, -0.0002, 0.4, Scale::percent) == "0.0 [0.0, 40.0]");  // of a share nothing hangs on it
}
