#include "manifest/format/manifest.hpp"
#include "manifest/majority.hpp"

#include <doctest/doctest.h>

TEST_CASE(
    "the majority counts answers without case, leaves empty ones out, and is empty where there are none") {
  using manifest::majority_answer;
  CHECK(majority_answer({"Yes", "no", "YES"}) == "yes");
  CHECK(majority_answer({"", "", "no"}) == "no");
  CHECK(majority_answer({"", ""}).empty());
  CHECK(majority_answer({}).empty());
  CHECK(majority_answer({"\xc3\x89", "x", "\xc3\xa9"}) == "\xc3\xa9");
  // Spaces count: the answers were stripped when the table was read.
  CHECK(majority_answer({"a", "a ", "a ", "a"}) == "a");
}
