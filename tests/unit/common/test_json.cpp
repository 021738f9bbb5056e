#include <limits>
#include <string>

#include "common/error.hpp"
#include "common/json.hpp"
#include "tests/support/holds.hpp"

#include <doctest/doctest.h>

using common::Error;
using common::ErrorKind;
using common::Json;

namespace {
// The message of the error, which must be of kind format.
std::string refusal(const std::string& text) {
  try {
    (void)common::parse_json(text, "file.json");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::format);
    return error.what();
  }
  return "accepted";
}
std::string nested(int levels) {
  return std::string(static_cast<std::size_t>(levels), '[') +
         std::string(static_cast<std::size_t>(levels), ']');
}
using support::holds;
}  // namespace

TEST_CASE("keys keep their order and values their kind") {
  const Json value = common::parse_json(R"({"z":1,"a":[1.0,-2,true,null,"x",{}],"m":{"k":"v"}})", "f");
  CHECK(common::dump_line(value) == R"({"z": 1, "a": [1.0, -2, true, null, "x", {}], "m": {"k": "v"}})");
}

TEST_CASE("a file that means two things is refused, and the message names it") {
  for (const char* text : {R"({"a":1,"a":1})", R"([{"b":{"a":1,"a":2}}])"})
    CHECK(holds(refusal(text), "file.json: duplicate key \"a\""));
  for (const char* text :
       {"18446744073709551616", "-9223372036854775809", "[1e999]", R"("\ud800")", R"("\udc00x")", "NaN", "01",
        "[1,]", "{\"a\":1}x", "", " ", "\"\xff\"", "\"\xed\xa0\x80\"", "\"a\nb\"", "'a'"})
    CHECK_MESSAGE(holds(refusal(text), "file.json"), text);
}

TEST_CASE("a NUL byte ends no document: what follows it is seen") {
  using namespace std::string_literals;
  for (const std::string& text : {"{}\0"s, "{}\0garbage"s, "\0{}"s, "{\0}"s, "[1]\0[2]"s})
    CHECK(holds(refusal(text), "NUL byte"));
}

TEST_CASE("a key may stand again in another object") {
  CHECK(common::dump_line(common::parse_json(R"([{"a":1},{"a":{"a":2}}])", "f")) ==
        R"([{"a": 1}, {"a": {"a": 2}}])");
}

TEST_CASE("the largest integers of 64 bits are read, and stay integers") {
  CHECK(common::dump_line(
            common::parse_json("[9223372036854775807,-9223372036854775808,18446744073709551615]", "f")) ==
        "[9223372036854775807, -9223372036854775808, 18446744073709551615]");
}

TEST_CASE("nesting is read to its limit and no further") {
  CHECK(common::parse_json(nested(common::k_depth_limit), "f").is_array());
  CHECK(holds(refusal(nested(common::k_depth_limit + 1)), "nesting is deeper"));
  CHECK(holds(refusal(nested(100000)), "nesting is deeper"));
}

TEST_CASE("pretty JSON is indented by two and ends without a line feed; empty containers stay closed") {
  const Json value = common::parse_json(R"({"a":[1,{"b":[]}],"c":{}})", "f");
  CHECK(common::dump_pretty(value) ==
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}");
}

TEST_CASE("text beyond ASCII is escaped in lower-case hexadecimal, in pairs beyond the first plane") {
  CHECK(common::dump_line(Json("é\x7f\n\"\\/\xf0\x9f\x98\x80")) == R"("\u00e9\u007f\n\"\\/\ud83d\ude00")");
}

TEST_CASE("text that is not UTF-8 is a format error, not a report of a bug") {
  CHECK_THROWS_AS((void)common::dump_line(Json("\xff")), Error);
}

TEST_CASE("numbers are written as Python's repr writes them") {
  const double highest = std::numeric_limits<double>::max();
  CHECK(common::python_repr(30) == "30.0");
  CHECK(common::python_repr(-0.0) == "-0.0");
  CHECK(common::python_repr(0.1) == "0.1");
  CHECK(common::python_repr(1e-5) == "1e-05");
  CHECK(common::python_repr(0.0001) == "0.0001");
  CHECK(common::python_repr(1e16) == "1e+16");
  CHECK(common::python_repr(1e15) == "1000000000000000.0");
  CHECK(common::python_repr(9007199254740993.0) == "9007199254740992.0");
  CHECK(common::python_repr(5e-324) == "5e-324");
  CHECK(common::python_repr(highest) == "1.7976931348623157e+308");
}

TEST_CASE("members are fetched by type, or the error names file and key") {
  const Json object = common::parse_json(R"({"s":"x","i":3,"d":1.5,"a":[],"u":9223372036854775808})", "f");
  CHECK(common::string_member(object, "s", "f") == "x");
  CHECK(common::integer_member(object, "i", "f") == 3);
  CHECK(common::number_member(object, "i", "f") == 3.0);
  CHECK(common::number_member(object, "d", "f") == 1.5);
  CHECK(common::array_member(object, "a", "f").empty());
  CHECK_THROWS_WITH_AS((void)common::integer_member(object, "d", "f: entry 2"),
                       "f: entry 2: \"d\" must be an integer of 64 bits, found number; check the file",
                       Error);
  CHECK_THROWS_AS((void)common::integer_member(object, "u", "f"), Error);
  CHECK_THROWS_AS((void)common::string_member(object, "i", "f"), Error);
  CHECK_THROWS_AS((void)common::number_member(object, "s", "f"), Error);
  CHECK_THROWS_AS((void)common::array_member(object, "s", "f"), Error);
  CHECK_THROWS_AS((void)common::member(object, "absent", "f"), Error);
  CHECK_THROWS_AS((void)common::member(Json::array(), "s", "f"), Error);
}
