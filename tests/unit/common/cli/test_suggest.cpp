#include "common/cli/suggest.hpp"

#include <doctest/doctest.h>

using common::nearest;

TEST_CASE("a slip of the finger is recognised, another word is not") {
  const std::vector<std::string> verbs = {"val", "retention", "base", "audio", "check", "show", "diff"};
  CHECK(nearest("audios", verbs) == "audio");
  CHECK(nearest("chekc", verbs) == "check");
  CHECK(nearest("valid", verbs) == "");
  CHECK(nearest("frobnicate", verbs) == "");
  const std::vector<std::string> flags = {"--subset-size", "--seed", "--val-size"};
  CHECK(nearest("--subset_size", flags) == "--subset-size");
  CHECK(nearest("--Seed", flags) == "--seed");
  CHECK(nearest("--subset", flags) == "--subset-size");
  CHECK(common::suggestion("--sead", flags) == "; did you mean --seed?");
  CHECK(common::suggestion("--unknown", flags) == "");
}
