// Statistics against scipy, event files against tensorboard, the page against Python's HTML parser.
// SAFE_PEER_PYTHON names a Python that has the first two; without one the tests say so and pass, unless
// SAFE_PEERS=required.
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/json.hpp"
#include "common/random.hpp"
#include "common/sealed/draft_file.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_run.hpp"
#include "trainer/report/gnuplot.hpp"
#include "trainer/report/page.hpp"
#include "trainer/report/statistics.hpp"
#include "trainer/report/tensorboard.hpp"

#include <doctest/doctest.h>

using namespace trainer;

namespace {

// Runs report_peer.py with `what` and `argument`; null where there is no peer.
common::Json ask_peer(const std::string& what, const std::string& argument) {
  const char* python = std::getenv("SAFE_PEER_PYTHON");
  const char* peers = std::getenv("SAFE_PEERS");
  if (python == nullptr) {
    REQUIRE_MESSAGE((peers == nullptr || std::strcmp(peers, "required") != 0),
                    "SAFE_PEER_PYTHON names no Python");
    MESSAGE("skipped: SAFE_PEER_PYTHON names no Python with scipy and tensorboard");
    return nullptr;
  }
  const support::Finished peer =
      support::run_process({python, SAFE_SOURCE_DIR "/tests/interop/trainer/report_peer.py", what, argument});
  REQUIRE_MESSAGE(peer.code == 0, peer.err);
  return common::parse_json(peer.out, "the peer");
}

common::Json random_statistics(common::Random& random) {
  common::Json cases = {
      {"flips", common::Json::array()}, {"shares", common::Json::array()}, {"tables", common::Json::array()}};
  for (int i = 0; i < 50; ++i) {
    cases["flips"].push_back({random.below(60), random.below(60)});
    const std::uint64_t trials = 1 + random.below(600);
    cases["shares"].push_back({random.below(trials + 1), trials});
    common::Json table = common::Json::array();
    const std::uint64_t seeds = 2 + random.below(4), items = 8 + random.below(40);
    for (std::uint64_t s = 0; s < seeds; ++s) {
      std::vector<double> row;
      for (std::uint64_t k = 0; k < items; ++k) row.push_back(random.normal() + 0.3 * static_cast<double>(s));
      table.push_back(row);
    }
    cases["tables"].push_back(table);
  }
  return cases;
}

}  // namespace

TEST_CASE("tests equal scipy's, and intervals those that numpy draws") {
  const std::int64_t seed = 20265;
  CAPTURE(seed);
  common::Random random(seed);
  const common::Json cases = random_statistics(random);
  const support::Scratch scratch;
  support::put_file(scratch / "cases.json", common::dump_line(cases));
  const common::Json wanted = ask_peer("statistics", (scratch / "cases.json").string());
  if (wanted.is_null()) return;
  for (std::size_t i = 0; i < cases["flips"].size(); ++i) {
    CAPTURE(i);
    const common::Json &flips = cases["flips"][i], &share = cases["shares"][i];
    CHECK(mcnemar_exact(flips[0].get<int>(), flips[1].get<int>()) ==
          doctest::Approx(wanted["flips"][i].get<double>()).epsilon(1e-10));
    const Interval wilson = wilson_interval(share[0].get<int>(), share[1].get<int>());
    CHECK(wilson.low == doctest::Approx(wanted["shares"][i][0].get<double>()).epsilon(1e-9));
    CHECK(wilson.high == doctest::Approx(wanted["shares"][i][1].get<double>()).epsilon(1e-9));
    const Interval interval = estimate_mean(cases["tables"][i].get<SeedsByItems>()).interval;
    // Both draw, and two seeds have long tails.
    const double width = interval.high - interval.low;
    CHECK(std::abs(interval.low - wanted["tables"][i][0].get<double>()) < 0.05 * width);
    CHECK(std::abs(interval.high - wanted["tables"][i][1].get<double>()) < 0.05 * width);
  }
}

TEST_CASE("tensorboard opens the event files and finds every scalar at its step") {
  const support::Scratch scratch;
  const RunSummary run = read_run(support::make_run(scratch.path(), {.steps = 7}));
  write_event_files({run}, scratch / "boards");
  const common::Json found = ask_peer("tensorboard", (scratch / "boards" / run.name).string());
  if (found.is_null()) return;
  const auto history = read_history(run.path);
  for (const auto& [name, curve] : history) {
    CAPTURE(name);
    const common::Json& scalars = found["train/" + name];
    REQUIRE(scalars.size() == curve.steps.size());
    for (std::size_t i = 0; i < curve.steps.size(); ++i) {
      CHECK(scalars[i][0] == curve.steps[i]);
      CHECK(scalars[i][1].get<double>() == doctest::Approx(curve.values[i]).epsilon(1e-6));
    }
  }
  CHECK(found["validation/vl_base_accuracy"][0] == common::Json({7, 0.75}));
}

TEST_CASE("the page is well-formed for an HTML parser, its ids are unique, and nothing in it is fetched") {
  if (!support::has_python()) {
    MESSAGE("skipped: there is no Python 3.8");
    return;
  }
  const support::Scratch scratch;
  const Comparison comparison =
      compare_runs({support::make_run(scratch.path(), {.kl = 0.2, .token_f1 = {1, 0.5}, .steps = 30}),
                    support::make_run(scratch.path(),
                                      {.variant = "full_safe", .kl = 0.1, .token_f1 = {1, 1}, .steps = 30})});
  if (!gnuplot_version()) MESSAGE("skipped: gnuplot is not installed, so its figures are not parsed");
  common::write_file(scratch / "report.html",
                     write_page({comparison, choose_examples(comparison, nullptr), scratch / "report.html"}));
  const support::Finished parser = support::run_process(
      {"python3", SAFE_SOURCE_DIR "/tests/interop/trainer/html_peer.py", (scratch / "report.html").string()});
  CAPTURE(parser.err);
  CHECK(parser.code == 0);
  CHECK(parser.out == "");
}
