#include "trainer/report/retention_sizes.hpp"

#include <fmt/format.h>

#include "common/error.hpp"
#include "common/sealed/draft_file.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_run.hpp"
#include "trainer/report/examples.hpp"
#include "trainer/report/link.hpp"
#include "trainer/report/page.hpp"
#include "trainer/report/text.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::make_run;
namespace fs = std::filesystem;

namespace {

common::Json retention(double kl, std::int64_t questions) {
  return {{"retention", {{"questions", questions}, {"kl", {{"title", "KL"}, {"weight", kl}}}}}};
}

fs::path run_of(const fs::path& root, const std::string& variant, double kl, std::int64_t questions,
                std::vector<double> scores, int seed = 42) {
  return make_run(root, {.variant = variant,
                         .scores = std::move(scores),
                         .kl = 0.1,
                         .more_config = retention(kl, questions),
                         .seed = seed});
}

}  // namespace

TEST_CASE("settings that differ in the number of retention questions alone are one line over the numbers") {
  const support::Scratch scratch;
  std::vector<fs::path> runs;
  for (const int seed : {42, 43}) {
    runs.push_back(run_of(scratch.path(), "no_retention", 0, 0, {0, 0, 0, 0}, seed));
    runs.push_back(run_of(scratch.path(), "soft_retention", 0.1, 600, {1, 1, 1, 0}, seed));
    runs.push_back(run_of(scratch.path(), "soft_retention", 0.1, 32, {1, 0, 0, 0}, seed));
    runs.push_back(run_of(scratch.path(), "soft_retention", 0.1, 0, {1, 1, 1, 1}, seed));
    runs.push_back(run_of(scratch.path(), "soft_retention", 0.3, 32, {1, 1, 0, 0}, seed));
  }
  const Comparison comparison = compare_runs(runs);
  const std::vector<SizeLine> lines = size_lines(comparison);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].name == "no_retention");
  CHECK(lines[0].asks_none);
  REQUIRE(lines[1].points.size() == 3);
  CHECK(lines[1].points[0].questions == 32);
  CHECK(lines[1].points[1].questions == 600);
  CHECK(lines[1].points[2].questions == 0);  // all of the pack's
  CHECK(lines[2].points.size() == 1);
  for (const SizeLine& line : lines) CHECK(line.name.find("questions") == std::string::npos);
  const Table table = size_accuracy_table(comparison);
  CHECK(table.head == std::vector<std::string>{"", "32", "600", "all"});
  CHECK(table.rows[1][1].starts_with("25.0 ["));
  CHECK(table.rows[1][2].starts_with("75.0 ["));
  CHECK(table.rows[0][1] == table.rows[0][3]);  // asks no question, whatever the number
  CHECK(table.rows[2][1].starts_with("50.0 ["));
  CHECK(table.rows[2][2] == "-");
  CHECK(to_text(comparison).find("By the number of retention questions") != std::string::npos);
}

TEST_CASE("a number in the name of a setting, and the fewest questions that it takes, part no line") {
  const support::Scratch scratch;
  std::vector<fs::path> runs;
  for (const std::int64_t questions : {16, 32, 0}) {
    common::Json config = retention(0.1, questions);
    config["name"] = fmt::format("soft, {} questions", questions == 0 ? "all" : std::to_string(questions));
    config["null_space_min_samples"] = questions;
    config["retention"]["null_space"] = {{"title", "null space"}, {"row_minimum", questions}};
    runs.push_back(make_run(scratch.path(), {.variant = "soft_retention", .more_config = config}));
  }
  const std::vector<SizeLine> lines = size_lines(compare_runs(runs));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].name.starts_with("soft"));
  CHECK(lines[0].name.find("16") == std::string::npos);
  CHECK(lines[0].points.size() == 3);
}

TEST_CASE("where no setting was run with two numbers there is nothing to show") {
  const support::Scratch scratch;
  const Comparison comparison = compare_runs({run_of(scratch.path(), "no_retention", 0, 0, {1, 0}),
                                              run_of(scratch.path(), "soft_retention", 0.1, 32, {1, 0})});
  CHECK(size_lines(comparison).empty());
  CHECK(size_accuracy_table(comparison).rows.empty());
  CHECK(to_text(comparison).find("By the number") == std::string::npos);
  CHECK_FALSE(size_figure(comparison, frame_svg).has_value());
}

TEST_CASE("the page begins with what is kept by the number of questions, and verifies") {
  const support::Scratch scratch;
  const std::vector<fs::path> runs = {run_of(scratch / "runs", "no_retention", 0, 0, {0, 0, 0, 0}),
                                      run_of(scratch / "runs", "soft_retention", 0.1, 600, {1, 1, 1, 0}),
                                      run_of(scratch / "runs", "soft_retention", 0.1, 32, {1, 0, 0, 0})};
  if (!gnuplot_version()) {
    MESSAGE("skipped: gnuplot is not installed");
    return;
  }
  const Comparison comparison = compare_runs(runs);
  const fs::path page = scratch / "report.html";
  const std::string text = write_page({comparison, choose_examples(comparison, nullptr), page});
  const std::size_t first = text.find("id=\"sizes"), second = text.find("id=\"trade-off");
  CHECK(first != std::string::npos);
  CHECK(first < second);
  common::write_file(page, text);
  CHECK(verify_report({page}).findings.empty());
}
