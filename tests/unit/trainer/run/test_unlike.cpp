#include "trainer/run/unlike.hpp"

#include <doctest/doctest.h>

using common::Json;

TEST_CASE("settings that differ are named with both values, places and digests are no settings") {
  const Json there = {
      {"variant", "full_safe"}, {"num_epochs", 150}, {"config_digest", "a"}, {"output_dir", "x"}};
  const Json here = {{"variant", "full_safe"}, {"num_epochs", 151}, {"config_digest", "b"}, {"used", 1}};
  CHECK(trainer::differences(there, here) == "num_epochs: 150 there, 151 here; used: not set there, 1 here");
  CHECK(trainer::differences(there, there).empty());
}
