#include "trainer/report/warnings.hpp"

#include <algorithm>
#include <filesystem>
#include <string>

#include "tests/support/scratch.hpp"
#include "tests/support/small_run.hpp"

#include <doctest/doctest.h>

namespace {

using support::make_run;
using trainer::compare_runs;

bool warns_of(const trainer::Comparison& comparison, const std::string& what) {
  return std::any_of(comparison.warnings.begin(), comparison.warnings.end(),
                     [&](const std::string& warning) { return warning.find(what) != std::string::npos; });
}

}  // namespace

TEST_CASE("runs of different lengths are compared with a warning that has both numbers") {
  const support::Scratch scratch;
  const auto shorter = make_run(scratch.path(), {.steps = 1, .more_config = {{"num_epochs", 1}}});
  const auto longer =
      make_run(scratch.path(), {.variant = "full_safe", .steps = 3, .more_config = {{"num_epochs", 3}}});
  CHECK(warns_of(compare_runs({shorter, longer}), "differ in num_epochs (1, 3)"));
  CHECK_FALSE(warns_of(compare_runs({shorter}), "differ in"));
}

TEST_CASE("whatever settings differ in beside their mechanisms is said, and what says who computed is not") {
  const support::Scratch scratch;
  const auto run = [&](const char* variant, const common::Json& more) {
    return make_run(scratch.path(), {.variant = variant, .more_config = more});
  };
  const auto plain = run("no_retention", {{"fusion", {{"gate_scale", 1.0}}}});
  const auto scaled = run("full_safe", {{"fusion", {{"gate_scale", 0.7}}}});
  CHECK(warns_of(compare_runs({plain, scaled}), "differ in fusion.gate_scale (0.7, 1.0), so"));
  const auto elsewhere = run("full_safe", {{"fusion", {{"gate_scale", 1.0}}},
                                           {"processes", 2},
                                           {"kept_prefixes", "states"},
                                           {"micro_batch_size", 4}});
  CHECK_FALSE(warns_of(compare_runs({plain, elsewhere}), "differ in"));
}

TEST_CASE("a setting whose captions are no better than the base's is not praised for what it kept") {
  const support::Scratch scratch;
  const auto dull =
      make_run(scratch.path(), {.variant = "full_safe", .scores = {1, 1, 1, 1}, .token_f1 = {0, 0, 0, 0}});
  const auto keen =
      make_run(scratch.path(), {.variant = "no_retention", .scores = {1, 0, 0, 0}, .token_f1 = {1, 1, 1, 1}});
  const trainer::Comparison comparison = compare_runs({dull, keen});
  CHECK(warns_of(comparison, "full_safe: its captions are not shown to be better"));
  CHECK_FALSE(warns_of(comparison, "no_retention: its captions"));
}
