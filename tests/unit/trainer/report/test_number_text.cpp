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
