#include "common/cli/print_json.hpp"

#include <doctest/doctest.h>

TEST_CASE("a name that is not UTF-8 is printed with its bytes escaped, and hides nothing else") {
  const common::Json value{
      {"path", "caf\xe9.wav"}, {"good", "caf\xc3\xa9"}, {"list", {"\xff", 1, nullptr}}, {"key \x80", true}};
  const common::Json shown = common::printable(value);
  CHECK(common::dump_line(shown) ==
        R"({"path": "caf\\xe9.wav", "good": "caf\u00e9", "list": ["\\xff", 1, null], "key \\x80": true})");
  CHECK(common::parse_json(common::dump_line(shown), "output") == shown);
}
