#include <string>
#include <vector>

#include "packer/leaks/leak_groups.hpp"

#include <doctest/doctest.h>

namespace {

packer::LeakItem item(const std::string& name, packer::Role split = packer::Role::val_manifest) {
  packer::LeakItem one;
  one.split = split;
  one.path = "images/" + name + ".jpg";
  one.id = name;
  return one;
}

packer::Leak leak(const std::string& a, const std::string& b) {
  packer::Leak pair;
  pair.a = item(a);
  pair.b = item(b, packer::Role::retention_manifest);
  pair.distance = 0.01;
  return pair;
}

}  // namespace

TEST_CASE("pairs that share an item are one group, by way of other pairs too") {
  // a-x, a-y and b-y hang together; c-z does not.
  const auto groups = packer::group_leaks({leak("a", "x"), leak("c", "z"), leak("a", "y"), leak("b", "y")});
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].items == 4);
  CHECK(groups[0].leaks == std::vector<std::size_t>{0, 2, 3});
  CHECK(groups[1].items == 2);
  CHECK(groups[1].leaks == std::vector<std::size_t>{1});
  CHECK(packer::group_leaks({}).empty());
}

TEST_CASE("one picture in two splits is two items") {
  const auto groups = packer::group_leaks({leak("a", "a")});
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].items == 2);
}

TEST_CASE("a group is printed with its size and three of its pairs, a pair alone as it is") {
  packer::LeakReport report;
  for (const char* b : {"u", "v", "w", "x", "y"}) report.leaks.push_back(leak("a", b));
  report.leaks.push_back(leak("c", "z"));
  report.pictures = 8;
  const std::vector<std::string> lines = packer::describe(report, {});
  REQUIRE(lines.size() == 6);
  CHECK(lines[0] == "group of 6 pictures, 5 pairs:");
  CHECK(lines[1] ==
        "  picture: distance 0.010: images/a.jpg of val_manifest.json (a) and images/u.jpg of "
        "retention_manifest.json (u)");
  CHECK(lines[4] == "  and 2 more pairs; safe-packer leaks --json lists all");
  CHECK(lines[5] == packer::describe(report.leaks[5], {}));
  CHECK(packer::summarise(report) ==
        "6 near-duplicate pairs in 2 groups; compared 8 pictures and 0 sounds, not compared 0");
}

TEST_CASE("what was not compared is said with its reason, and counted") {
  packer::LeakReport report;
  report.not_compared.push_back({item("flat"), "flat: its grey levels hardly differ"});
  CHECK(packer::describe_rest(report, {}) ==
        std::vector<std::string>{"not compared: images/flat.jpg of val_manifest.json (flat): flat: its grey "
                                 "levels hardly differ"});
  CHECK(packer::summarise(report) ==
        "0 near-duplicate pairs in 0 groups; compared 0 pictures and 0 sounds, not compared 1");
}
