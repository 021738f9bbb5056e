#include "trainer/run/report_table.hpp"

#include "common/error.hpp"
#include "common/file.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/run/run_directory.hpp"

#include <doctest/doctest.h>

using namespace trainer;
namespace fs = std::filesystem;

namespace {

struct RunRecipe {
  std::string variant = "no_retention";
  std::string pack_id = std::string(64, 'a');
  std::string base_digest = std::string(64, 'b');
  std::vector<double> scores = {1, 1, 0, 0};  // under a memorised distractor; the base knows all but the last
  bool bit_equal = true;
  int seed = 42;
};

fs::path make_run(const fs::path& root, const RunRecipe& recipe) {
  const common::Json config = {{"variant", recipe.variant},
                               {"seed", recipe.seed},
                               {"pack_id", recipe.pack_id},
                               {"base_digest", recipe.base_digest}};
  RunDirectory run = RunDirectory::create(root, recipe.variant, common::digest_of(common::dump_line(config)),
                                          std::chrono::system_clock::from_time_t(0));
  std::vector<Prediction> items;
  for (std::size_t i = 0; i < recipe.scores.size(); ++i) {
    Prediction item;
    item.condition = condition::k_distractor_memorised;
    item.id = std::to_string(i);
    item.answer_type = "other";
    item.references = {"red"};
    item.prediction = recipe.scores[i] > 0 ? "red" : "blue";
    item.base_prediction = i + 1 < recipe.scores.size() ? "red" : "blue";
    item.score = recipe.scores[i];
    item.base_score = i + 1 < recipe.scores.size() ? 1 : 0;
    items.push_back(item);
  }
  Metrics metrics;
  metrics.validation = summarise(items, "validation");
  metrics.bit_equal_without_audio = recipe.bit_equal;
  metrics.mechanisms["kl"] = {10, recipe.bit_equal ? 10 : 0, 1.0};
  run.write_config(config);
  run.write_metrics(metrics);
  run.write_subset_indices({});
  run.write_predictions(items);
  run.history().append({{"step", 1}});
  seal_run(run.path());
  return run.path();
}

}  // namespace

TEST_CASE("McNemar's exact test is the two-sided binomial") {
  CHECK(mcnemar_exact(0, 0) == 1);
  CHECK(mcnemar_exact(3, 3) == 1);
  CHECK(mcnemar_exact(0, 5) == doctest::Approx(2.0 / 32));
  CHECK(mcnemar_exact(5, 0) == mcnemar_exact(0, 5));
  CHECK(mcnemar_exact(2, 8) == doctest::Approx(2.0 * (1 + 10 + 45) / 1024));
  CHECK(mcnemar_exact(0, 2000) < 1e-300);
}

TEST_CASE("the table has a line for every run and the difference over the same questions") {
  const support::Scratch scratch;
  const fs::path first = make_run(scratch.path(), {.scores = {1, 0, 0, 0}});
  const fs::path second = make_run(scratch.path(), {.variant = "full_safe", .scores = {1, 1, 1, 0.3}});
  const Comparison comparison = compare_runs({first, second});
  REQUIRE(comparison.runs.size() == 2);
  REQUIRE(comparison.paired.size() == 1);
  const PairedComparison& pair = comparison.paired.front();
  CHECK(pair.items == 4);
  CHECK(pair.only_first_right == 0);
  CHECK(pair.only_second_right == 2);
  CHECK(pair.accuracy_difference == doctest::Approx(2.3 / 4));
  CHECK(pair.p_value == 0.5);
  CHECK(comparison.warnings.empty());
  const std::string text = to_text(comparison);
  for (const char* part :
       {"seed  42", "\n  no_retention ", "no_retention -> full_safe ", "75.0", "25.0", "0.333", "+57.5"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(text.find(std::string(64, 'a')) != std::string::npos);
  CHECK(text.find("warning") == std::string::npos);
}

TEST_CASE("runs of one variant are told apart by seed, and of one seed by their folders") {
  const support::Scratch scratch;
  const fs::path first = make_run(scratch.path(), {}), other_seed = make_run(scratch.path(), {.seed = 43});
  const std::string seeds = to_text(compare_runs({first, other_seed}));
  CHECK(seeds.find("\n  no_retention (seed 43) ") != std::string::npos);
  const fs::path again = make_run(scratch.path(), {});
  CHECK(to_text(compare_runs({first, again})).find("\n  " + again.filename().string() + " ") !=
        std::string::npos);
}

TEST_CASE("report.json names the bytes of every run and holds no path") {
  const support::Scratch scratch;
  const fs::path run = make_run(scratch.path(), {});
  const common::Json report = to_json(compare_runs({run}));
  CHECK(report["runs"][0]["sums_sha256"] == common::digest_file(run / k_sums_name).digest.hex());
  CHECK(report["runs"][0]["metrics"]["validation"]["vl_base_accuracy"] == 0.75);
  CHECK(report["paired"].empty());
  CHECK(common::dump_line(report).find(scratch.path().string()) == std::string::npos);
}

TEST_CASE("a run with one changed byte is refused by name") {
  const support::Scratch scratch;
  const fs::path good = make_run(scratch.path(), {});
  const fs::path bad = make_run(scratch.path(), {.variant = "full_safe"});
  std::string metrics = support::text_of_file(bad / "metrics.json");
  metrics.back() ^= 1;
  support::put_file(bad / "metrics.json", metrics);
  try {
    (void)compare_runs({good, bad});
    FAIL("it was read");
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::mismatch);
    CHECK(std::string(error.what()).find("metrics.json has changed") != std::string::npos);
  }
}

TEST_CASE("runs of different packs are never paired, and the table says so") {
  const support::Scratch scratch;
  const Comparison comparison =
      compare_runs({make_run(scratch.path(), {}),
                    make_run(scratch.path(), {.variant = "x", .pack_id = std::string(64, 'c')})});
  CHECK(comparison.paired.empty());
  REQUIRE(comparison.warnings.size() == 1);
  CHECK(comparison.warnings[0].find("different packs") != std::string::npos);
}

TEST_CASE("a run that differs from its base without audio, or whose mechanism never acted, is warned of") {
  const support::Scratch scratch;
  const Comparison comparison = compare_runs({make_run(scratch.path(), {.bit_equal = false})});
  CHECK(comparison.warnings.size() == 2);
  CHECK(to_text(comparison).find("never acted") != std::string::npos);
}

TEST_CASE("the same run twice, and no run at all, are refused") {
  const support::Scratch scratch;
  const fs::path run = make_run(scratch.path(), {});
  CHECK_THROWS_AS((void)compare_runs({run, run}), common::Error);
  CHECK_THROWS_AS((void)compare_runs({}), common::Error);
  CHECK_THROWS_AS((void)compare_runs({scratch / "nothing"}), common::Error);
}
