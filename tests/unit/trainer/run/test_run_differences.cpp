#include "trainer/run/run_differences.hpp"

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/results/config_keys.hpp"

#include <doctest/doctest.h>

using common::Json;

TEST_CASE("settings that differ are named with both values, places and digests are no settings") {
  const Json there = {
      {"variant", "full_safe"}, {"num_epochs", 150}, {"config_digest", "a"}, {"output_dir", "x"}};
  const Json here = {{"variant", "full_safe"}, {"num_epochs", 151}, {"config_digest", "b"}, {"used", 1}};
  CHECK(trainer::differences(there, here) == "num_epochs: 150 there, 151 here; used: not set there, 1 here");
  CHECK(trainer::differences(there, there).empty());
}

TEST_CASE("a run that was begun in another type is not gone on with, nor begun anew without being asked") {
  const support::Scratch scratch;
  const Json there = {{"variant", "full_safe"}, {"name", "a"}, {"seed", 1}, {"dtype", "float32"}};
  std::filesystem::create_directory(scratch / "20260101_000000_full_safe_abcdef");
  support::put_file(scratch / "20260101_000000_full_safe_abcdef/config.json", common::dump_line(there));
  trainer::RunConfig config;
  config.output_root = scratch.path();
  config.verbosity = common::Verbosity::quiet;
  Json here = there;
  here["dtype"] = "bfloat16";
  CHECK_THROWS_WITH_AS(trainer::say_what_differs(config, here), doctest::Contains("give --dtype float32"),
                       common::Error);
  here["name"] = "b";  // another run's name
  CHECK_NOTHROW(trainer::say_what_differs(config, here));
  here = there;
  here["num_epochs"] = 3;
  CHECK_NOTHROW(trainer::say_what_differs(config, here));
}

TEST_CASE("an unfinished run with the gate after the output map is refused by name, not begun anew") {
  const support::Scratch scratch;
  const std::string name = "20260101_000000_full_safe_abcdef";
  Json there = {{"variant", "full_safe"}, {"name", "a"}, {"seed", 1}, {"git_commit", "12ab"}};
  there["fusion"] = {{"layers", {1, 2}}, {"gate_scale", 0.7}};
  std::filesystem::create_directory(scratch / name);
  support::put_file(scratch / name / "config.json", common::dump_line(there));
  trainer::RunConfig config;
  config.output_root = scratch.path();
  config.verbosity = common::Verbosity::quiet;
  Json here = there;
  here["fusion"] = {
      {"layers", {1, 2}}, {"gate_scale", 1.0}, {trainer::k_gate_place, trainer::k_gate_before_output}};
  CHECK_THROWS_WITH_AS(trainer::say_what_differs(config, here),
                       doctest::Contains((name + " was begun").c_str()), common::Error);
  CHECK_THROWS_WITH_AS(trainer::say_what_differs(config, here),
                       doctest::Contains("the program of commit 12ab"), common::Error);
  // A finished run is only another one.
  support::put_file(scratch / name / "SHA256SUMS", "");
  CHECK_NOTHROW(trainer::say_what_differs(config, here));
}
