#include <limits>

#include "common/error.hpp"
#include "common/seed.hpp"

#include <doctest/doctest.h>

using common::Seed;

TEST_CASE("a seed is a whole number of any size that Python reads, and nothing else") {
  CHECK(Seed::parse("42") == Seed(42));
  CHECK(Seed::parse("-0") == Seed(0));
  CHECK(Seed::parse("-007") == Seed(-7));
  CHECK(Seed::parse("-9223372036854775808") == Seed(std::numeric_limits<std::int64_t>::min()));
  CHECK(Seed::parse(std::string(4300, '7'))->text() == std::string(4300, '7'));
  CHECK(!Seed::parse(std::string(4301, '7')));
  for (const char* text : {"", "-", "+1", "1.5", "1e3", " 1", "1_000", "0x10", "--1", "seven"}) {
    CAPTURE(text);
    CHECK(!Seed::parse(text));
  }
}

TEST_CASE("a seed of any size is written to JSON as Python writes it, and read back") {
  for (const char* text : {"0", "-1", "9223372036854775807", "9223372036854775808", "18446744073709551616",
                           "-100000000000000000000"}) {
    CAPTURE(text);
    const common::Json object = {{"seed", common::to_json(*Seed::parse(text))}};
    const std::string line = common::dump_line(object);
    CHECK(line == "{\"seed\": " + std::string(text) + "}");
    CHECK(common::seed_member(common::parse_json(line, "x"), "x").text() == text);
  }
  CHECK_THROWS_AS((void)common::seed_member(common::parse_json("{\"seed\": 1.5}", "x"), "x"), common::Error);
  CHECK_THROWS_AS((void)common::parse_json("{\"id\": 100000000000000000000}", "x"), common::Error);
}
