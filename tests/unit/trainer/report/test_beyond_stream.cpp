#include "trainer/report/beyond_stream.hpp"

#include "tests/support/scratch.hpp"
#include "tests/support/small_run.hpp"
#include "trainer/report/text.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::make_run;
namespace fs = std::filesystem;

namespace {

// What a figure is drawn from.
struct Drawn {
  std::string script;
  std::optional<Figure> figure;
};

Drawn draw_of(const Comparison& comparison) {
  Drawn drawn;
  drawn.figure = beyond_figure(comparison, [&](const SvgRequest& drawing) {
    drawn.script = drawing.script;
    return std::string("<svg></svg>");
  });
  return drawn;
}

}  // namespace

TEST_CASE("questions in other words stand beside those that are asked as trained, and are compared too") {
  const support::Scratch scratch;
  std::vector<fs::path> runs;
  for (const int seed : {42, 43}) {
    runs.push_back(make_run(scratch.path(), {.variant = "no_retention",
                                             .scores = {1, 1, 0, 0},
                                             .kl = 0.5,
                                             .unlike = {0, 0, 0, 0, 0},
                                             .seed = seed}));
    runs.push_back(make_run(scratch.path(), {.variant = "soft_retention",
                                             .scores = {1, 1, 1, 0},
                                             .kl = 0.1,
                                             .unlike = {1, 0, 0, 0, 0},
                                             .seed = seed}));
  }
  const Comparison comparison = compare_runs(runs);
  const Table table = beyond_table(comparison);
  REQUIRE(table.rows.size() == 2);
  REQUIRE(table.head == std::vector<std::string>{"", "as trained: base", "accuracy", "KL to base",
                                                 "other words: base", "accuracy", "KL to base",
                                                 "instruction moved: base", "accuracy", "KL to base",
                                                 "no picture: base", "accuracy", "KL to base"});
  CHECK(table.rows[1][1] == "75.0");
  CHECK(table.rows[1][2].starts_with("75.0 ["));
  CHECK(table.rows[1][4] == "80.0");
  CHECK(table.rows[1][5].starts_with("20.0 ["));
  CHECK(table.rows[1][6].starts_with("0.1000"));
  bool is_compared = false;
  for (const PairedComparison& pair : comparison.paired)
    if (pair.condition == "unlike:distractor_memorised") {
      is_compared = true;
      CHECK(pair.items == 5);
      CHECK(pair.accuracy.value == doctest::Approx(0.2));
    }
  CHECK(is_compared);
  CHECK(to_text(comparison).find("other words") != std::string::npos);
  const Drawn drawn = draw_of(comparison);
  REQUIRE(drawn.figure);
  CHECK(drawn.script.find("set logscale y") != std::string::npos);
  CHECK(drawn.script.find("other words") != std::string::npos);
}

TEST_CASE("of questions that the base itself does not know no accuracy is shown") {
  const support::Scratch scratch;
  const Table table = beyond_table(
      compare_runs({make_run(scratch.path(), {.scores = {1, 1, 1, 0}, .kl = 0.1, .unlike = {1, 0}})}));
  REQUIRE(table.rows.size() == 1);
  CHECK(table.rows[0][4] == "50.0");
  CHECK(table.rows[0][5] == "-");
  CHECK(table.rows[0][6] != "-");
}

TEST_CASE(
    "questions that the base does not know are compared by KL and agreement alone, and correct no other p") {
  const support::Scratch scratch;
  const auto compare = [&](const std::vector<double>& unlike, const char* folder) {
    std::vector<fs::path> runs;
    for (const int seed : {42, 43, 44})
      for (const char* variant : {"no_retention", "soft_retention"})
        runs.push_back(make_run(scratch / folder, {.variant = variant,
                                                   .scores = {1, 1, variant[0] == 's' ? 1.0 : 0.0, 0},
                                                   .kl = 0.1,
                                                   .unlike = unlike,
                                                   .seed = seed}));
    return compare_runs(runs);
  };
  const auto row_of = [](const Comparison& comparison, std::string_view condition) {
    for (const std::vector<std::string>& row : paired_table(comparison).rows)
      if (row[1] == condition) return row;
    return std::vector<std::string>();
  };
  const Comparison unknown = compare({1, 0}, "unknown"), known = compare({1, 1, 1, 1, 0}, "known");
  const std::vector<std::string> row = row_of(unknown, "other words");
  REQUIRE(row.size() == 11);
  for (const std::size_t column : {2U, 3U, 5U, 8U, 9U, 10U}) CHECK(row[column] == "-");
  CHECK(row[4] != "-");
  CHECK(row[6] != "-");
  CHECK(row_of(known, "other words")[2] != "-");
  const auto correction = [](const Comparison& comparison) {
    return comparison.paired.front().holm_p / comparison.paired.front().p;
  };
  CHECK(correction(unknown) < correction(known));
}

TEST_CASE("where no such question was asked there is neither table nor figure") {
  const support::Scratch scratch;
  const Comparison comparison = compare_runs({make_run(scratch.path(), {.kl = 0.1})});
  CHECK(beyond_table(comparison).rows.empty());
  CHECK_FALSE(draw_of(comparison).figure);
}
