#include "trainer/results/answer_text.hpp"

#include <doctest/doctest.h>

using namespace trainer;

TEST_CASE("a caption keeps its words and loses extra white space") {
  CHECK(caption_text("  a dog\n\tbarks.  Then 2.5 seconds pass ") == "a dog barks. Then 2.5 seconds pass");
  CHECK(caption_text("") == "");
  CHECK(caption_text(" \n") == "");
}

TEST_CASE("an answer is the first sentence of the first line that has text") {
  struct Case {
    const char* generated;
    const char* expected;
  };
  const Case cases[] = {
      {"yes", "yes"},
      {" Yes. It is.", "Yes"},
      {"\n\n red \n blue", "red"},
      {"2.5 feet", "2.5 feet"},
      {"2.5 feet. About", "2.5 feet"},
      {"3.", "3"},
      {"5 p.m.", "5 p.m."},
      {"at 5 p.m. sharp", "at 5 p.m. sharp"},
      {"what? no", "what"},
      {"on the left of the red-brick wall", "on the left of the red-brick wall"},
      {"1. red", "1"},
      {".", "."},
      {"", ""},
  };
  for (const Case& one : cases) {
    CAPTURE(one.generated);
    CHECK(answer_text(one.generated) == one.expected);
  }
}

TEST_CASE("what is taken is valid UTF-8 whatever was generated") {
  CHECK(answer_text("\xC3 red") == "\xEF\xBF\xBD red");
  CHECK(caption_text("\xE2\x82") == "\xEF\xBF\xBD");
}
