#include "common/json_object.hpp"

#include "common/error.hpp"

#include <doctest/doctest.h>

namespace {

constexpr common::JsonMember k_members[] = {
    {"name"}, {"count"}, common::optional_member("list"), common::optional_member("seed")};

struct Row {
  std::string name;
  std::uint64_t count = 0;
  std::vector<std::string> list;
  std::string seed;
};

Row read(std::string_view text) {
  common::JsonStream stream(text, "file");
  common::JsonObject object(stream, "file: row 1", k_members);
  Row row;
  while (object.next())
    if (object.is("name"))
      row.name = object.string();
    else if (object.is("count"))
      row.count = object.count();
    else if (object.is("list"))
      row.list = object.strings(common::JsonListLimit{2});
    else
      row.seed = object.seed().text();
  stream.finish();
  return row;
}

}  // namespace

TEST_CASE("an object of a closed schema is read in any order") {
  const Row row =
      read(R"({"list": ["a", "b"], "count": 3, "name": "caf\u00e9", "seed": -123456789012345678901})");
  CHECK(row.name == "caf\xc3\xa9");
  CHECK(row.count == 3);
  CHECK(row.list == std::vector<std::string>{"a", "b"});
  CHECK(row.seed == "-123456789012345678901");
}

TEST_CASE("what the schema does not have ends the reading, with the place and the key") {
  const struct {
    const char* text;
    const char* says;
  } cases[] = {
      {R"({"name": "", "count": 1, "more": [[[]]]})", "file: row 1 has the unknown key \"more\""},
      {R"({"name": "", "name": "", "count": 1})", "duplicate key \"name\""},
      {R"({"name": ""})", "has no key \"count\""},
      {R"({"name": [], "count": 1})", "\"name\" must be a string, found array"},
      {R"({"name": null, "count": 1})", "\"name\" must be a string, found null"},
      {R"({"name": "", "count": 1.5})", "\"count\" must be an integer of 64 bits, found 1.5"},
      {R"({"name": "", "count": 99999999999999999999})", "\"count\" must be an integer of 64 bits"},
      {R"({"name": "", "count": -1})", "\"count\" must be 0 or more"},
      {R"({"name": "", "count": 1, "list": ["a", "b", "c"]})", "\"list\" has more than 2 elements"},
      {R"({"name": "", "count": 1, "list": [1]})", "must hold strings only"},
      {R"({"name": "", "count": 1, "seed": 1.0})", "\"seed\" must be an integer"},
      {R"([])", "is not a JSON object"},
      {R"({"name": "", "count": 1} x)", "text after the end"},
      {R"({"name": "", "count": 1)", "truncated"},
  };
  for (const auto& row : cases) {
    CAPTURE(row.text);
    CHECK_THROWS_WITH_AS((void)read(row.text), doctest::Contains(row.says), common::Error);
  }
}

// The rest of the text is not even JSON: nobody has looked at it.
TEST_CASE("what is wrong ends the reading where it stands") {
  CHECK_THROWS_WITH_AS((void)read(R"({"name": "", "more": %%%)"), doctest::Contains("unknown key \"more\""),
                       common::Error);
  CHECK_THROWS_WITH_AS((void)read(R"({"list": ["a", "b", "c", %%%)"), doctest::Contains("more than 2"),
                       common::Error);
}
