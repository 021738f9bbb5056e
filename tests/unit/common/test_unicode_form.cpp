#include "common/unicode_form.hpp"

#include <doctest/doctest.h>

using common::normal_forms;
using Names = std::vector<std::string>;

TEST_CASE("a name has the form that it is in, the composed one and the decomposed one, each once") {
  const std::string composed = "M\xc3\xbcll", decomposed = "Mu\xcc\x88ll";
  CHECK(normal_forms("plain.wav") == Names{"plain.wav"});
  CHECK(normal_forms("") == Names{""});
  CHECK(normal_forms(composed) == Names{composed, decomposed});
  CHECK(normal_forms(decomposed) == Names{decomposed, composed});
  // One of each.
  CHECK(normal_forms(composed + decomposed) ==
        Names{composed + decomposed, composed + composed, decomposed + decomposed});
  CHECK(normal_forms("\xe9\x9b\xa8") == Names{"\xe9\x9b\xa8"});
  // Hangul is composed of letters.
  CHECK(normal_forms("\xea\xb0\x80").size() == 2);
  CHECK(normal_forms("M\xfcll") == Names{"M\xfcll"});
}
