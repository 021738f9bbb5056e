#include "trainer/report/verdict.hpp"

#include "tests/support/scratch.hpp"
#include "tests/support/small_run.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::make_run;
namespace fs = std::filesystem;

namespace {

// Forty questions, of which the first `right` are answered right.
std::vector<double> first_right(std::size_t right) {
  std::vector<double> scores(40, 0);
  std::fill_n(scores.begin(), right, 1);
  return scores;
}

struct Setting {
  std::size_t right;
  double kl;
  double token_f1 = 1;
};

std::vector<std::string> said_of(const Setting& none, const Setting& soft, std::vector<int> seeds = {42}) {
  const support::Scratch scratch;
  std::vector<fs::path> runs;
  for (const int seed : seeds)
    for (const auto& [name, setting] : {std::pair("no_retention", none), std::pair("soft_retention", soft)})
      runs.push_back(make_run(scratch.path(), {.variant = name,
                                               .scores = first_right(setting.right),
                                               .kl = setting.kl,
                                               .token_f1 = {setting.token_f1, setting.token_f1},
                                               .seed = seed}));
  return verdicts(compare_runs(runs));
}

bool holds(const std::vector<std::string>& said, const std::string& part) {
  return said.size() == 1 && said.front().find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a difference is said only where the interval shows it, and on the side on which it lies") {
  CHECK(holds(said_of({10, 0.5}, {35, 0.1}), ": it keeps more."));
  CHECK(holds(said_of({35, 0.1}, {10, 0.5}), ": it keeps less."));
  CHECK(holds(said_of({20, 0.2}, {20, 0.2}), "no difference is shown; one of "));
  CHECK(holds(said_of({20, 0.2}, {20, 0.1}), ": it is nearer to the base, and that it answers more"));
  CHECK(holds(said_of({20, 0.1}, {20, 0.2}), ": it is further from the base, and that it answers fewer"));
  CHECK(holds(said_of({10, 0.1}, {35, 0.5}), ": it answers more questions right, and is further"));
}

TEST_CASE("one seed is said to be one, and unequal skill to be unequal") {
  CHECK(holds(said_of({10, 0.5}, {35, 0.1}), "This holds for one seed"));
  CHECK_FALSE(holds(said_of({10, 0.5}, {35, 0.1}, {42, 43}), "This holds for one seed"));
  CHECK(
      holds(said_of({10, 0.5, 1}, {35, 0.1, 0.5}), "have not learnt the clips equally well (token F1 -50.0"));
  CHECK_FALSE(holds(said_of({10, 0.5, 1}, {35, 0.1, 1}), "equally well"));
}
