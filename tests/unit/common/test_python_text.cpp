#include "common/python_text.hpp"

#include <doctest/doctest.h>

using common::python_lower;
using common::python_strip;

TEST_CASE("strip takes all that Python calls space from both ends, and nothing from the middle") {
  for (const char* space : {" ",
                            "\t",
                            "\n",
                            "\v",
                            "\f",
                            "\r",
                            "\x1c",
                            "\x1d",
                            "\x1e",
                            "\x1f",
                            "\xc2\x85",
                            "\xc2\xa0",
                            "\xe1\x9a\x80",
                            "\xe2\x80\x80",
                            "\xe2\x80\x8a",
                            "\xe2\x80\xa8",
                            "\xe2\x80\xa9",
                            "\xe2\x80\xaf",
                            "\xe2\x81\x9f",
                            "\xe3\x80\x80"}) {
    const std::string text = std::string(space) + space + "a" + space + "b" + space;
    CHECK(python_strip(text) == std::string("a") + space + "b");
    CHECK(python_strip(space).empty());
  }
}

TEST_CASE("what only looks like space stays") {
  // NUL, zero-width space, word joiner, byte order mark, Mongolian vowel separator, DEL.
  for (const std::string& text :
       {std::string("\0", 1), std::string("\xe2\x80\x8b"), std::string("\xe2\x81\xa0"),
        std::string("\xef\xbb\xbf"), std::string("\xe1\xa0\x8e"), std::string("\x7f"),
        std::string("\xf0\x9f\x98\x80"), std::string("\xc3\xa9")})
    CHECK(python_strip(text) == text);
  CHECK(python_strip("").empty());
}

TEST_CASE("lower knows all of Unicode, without a locale") {
  CHECK(python_lower("YES No 3") == "yes no 3");
  CHECK(python_lower("\xc3\x89T\xc3\x89") == "\xc3\xa9t\xc3\xa9");  // É
  CHECK(python_lower("\xc4\xb0") == "i\xcc\x87");                   // İ becomes i and a dot above
  CHECK(python_lower("I\xc3\x89") == "i\xc3\xa9");                  // never the Turkish ı
  CHECK(python_lower("\xce\xa3\xce\x91\xce\xa3") == "\xcf\x83\xce\xb1\xcf\x82");  // ΣΑΣ ends with ς
  CHECK(python_lower("\xce\xa3") == "\xcf\x83");  // a lone Σ is no end of a word
  CHECK(python_lower("\xce\x91\xce\xa3'\xce\x91") ==
        "\xce\xb1\xcf\x83'\xce\xb1");                             // an apostrophe is no end either
  CHECK(python_lower("\xc8\xba") == "\xe2\xb1\xa5");              // Ⱥ grows from two bytes to three
  CHECK(python_lower("\xf0\x90\x90\x80") == "\xf0\x90\x90\xa8");  // Deseret, beyond the first plane
  CHECK(python_lower("").empty());
}
