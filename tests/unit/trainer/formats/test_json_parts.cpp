#include "trainer/formats/json_parts.hpp"

#include <string>
#include <utility>
#include <vector>

#include "common/error.hpp"

#include <doctest/doctest.h>

using common::Json;

namespace {

using Taken = std::vector<std::pair<std::string, std::string>>;

struct Read {
  Json root;
  Taken items;
};

Read read(const std::string& text, const std::vector<std::string>& path) {
  Read result;
  result.root = trainer::parse_json_parts(
      text, "x.json",
      {{path, [&](const std::string& key, Json&& value) { result.items.emplace_back(key, value.dump()); }}});
  return result;
}

void check_refused(const std::string& text, const std::string& because) {
  CAPTURE(because);
  CHECK_THROWS_WITH_AS((void)read(text, {"a", "b"}), doctest::Contains(because.c_str()), common::Error);
}

}  // namespace

TEST_CASE("the items of a part are handed over in their order and not kept, and the rest is kept") {
  const Read object =
      read(R"({"x": [1, {"b": 2}], "a": {"b": {"one": 1, "two": [2, {"b": 3}]}, "c": null}})", {"a", "b"});
  CHECK(object.items == Taken{{"one", "1"}, {"two", R"([2,{"b":3}])"}});
  CHECK(object.root.dump() == R"({"x":[1,{"b":2}],"a":{"b":{},"c":null}})");
  const Read list = read(R"({"a": {"b": ["x", {"y": 1}, []]}})", {"a", "b"});
  CHECK(list.items == Taken{{"", R"("x")"}, {"", R"({"y":1})"}, {"", "[]"}});
  CHECK(list.root.dump() == R"({"a":{"b":[]}})");
}

TEST_CASE("a part may be the whole document, and is only what its path names") {
  CHECK(read(R"({"a": 1, "b": {}})", {}).items == Taken{{"a", "1"}, {"b", "{}"}});
  CHECK(read(R"({"b": [1], "a": {"c": {"b": [2]}}, "x": {"a": {"b": [3]}}})", {"a", "b"}).items.empty());
  CHECK(read(R"([{"b": [1]}, "a"])", {"a", "b"}).items.empty());
}

TEST_CASE("what would change meaning silently is refused, in parts and beside them") {
  check_refused(R"({"a": 1, "a": 2})", "duplicate key");
  check_refused(R"({"a": {"b": [{"x": 1, "x": 2}]}})", "duplicate key");
  check_refused(R"({"a": 123456789012345678901234567890})", "too large");
  check_refused(R"({"a": 1e999})", "x.json");
  check_refused(std::string("{}") + '\0', "x.json is not valid JSON at byte");
  check_refused(R"({"a": 1)", "x.json is not valid JSON at byte");
  check_refused("", "x.json");
  check_refused(std::string(100, '[') + std::string(100, ']'), "64 levels");
  check_refused(R"({"a": {"b": [)" + std::string(100, '[') + std::string(100, ']') + "]}}", "64 levels");
}

TEST_CASE("what is kept has a limit, and an item too, wherever the values stand") {
  std::string many;
  for (std::size_t i = 0; i < trainer::k_kept_values_limit; ++i) many += "[],";
  check_refused("[" + many + "[]]", "values");
  check_refused(R"({"a": {"b": [[)" + many + "[]]]}}", "values");
  CHECK(read(R"({"a": {"b": [)" + many + "[]]}}", {"a", "b"}).items.size() ==
        trainer::k_kept_values_limit + 1);
}
