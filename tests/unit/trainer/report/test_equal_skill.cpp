#include "trainer/report/equal_skill.hpp"

#include "common/error.hpp"
#include "common/sealed/draft_file.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_run.hpp"
#include "trainer/report/examples.hpp"
#include "trainer/report/link.hpp"
#include "trainer/report/markdown.hpp"
#include "trainer/report/page.hpp"
#include "trainer/report/report_json.hpp"
#include "trainer/report/text.hpp"

#include <doctest/doctest.h>

using namespace trainer;
namespace fs = std::filesystem;

namespace {

// 1 where it learns: token F1 goes to 1 in four looks of ten steps, and the first `lost` of ten questions are
// answered wrongly from look to look.
support::RunRecipe recipe_of(const std::string& variant, const std::vector<double>& f1,
                             const std::vector<int>& lost, int seed = 42) {
  support::RunRecipe recipe;
  recipe.variant = variant;
  recipe.seed = seed;
  recipe.look_every = 10;
  recipe.steps = static_cast<int>(f1.size()) * 10;
  const auto scores = [](int wrong) {
    std::vector<double> all(10, 1);
    std::fill_n(all.begin(), wrong, 0.0);
    return all;
  };
  for (std::size_t i = 0; i + 1 < f1.size(); ++i)
    recipe.looks.push_back({scores(lost[i]), std::vector<double>(2, f1[i]), 0.1 * lost[i]});
  recipe.scores = scores(lost.back());
  recipe.kl = 0.1 * lost.back();
  recipe.token_f1 = std::vector<double>(2, f1.back());
  return recipe;
}

}  // namespace

TEST_CASE(
    "settings are compared where each first has nine tenths of the skill that the lesser of them gains") {
  const support::Scratch scratch;
  // The second gains .5; the first has .45 of it before its first look, and goes on to forget.
  const Comparison comparison = compare_runs(
      {support::make_run(scratch.path(), recipe_of("no_retention", {0.5, 1, 1, 1}, {2, 4, 6, 8})),
       support::make_run(scratch.path(), recipe_of("soft_retention", {0, 0.25, 0.25, 0.5}, {0, 0, 1, 1}))});
  REQUIRE(comparison.at_skill.size() == 2);
  const AtSkill &none = comparison.at_skill[0], &soft = comparison.at_skill[1];
  CHECK(none.skill == doctest::Approx(0.45));
  CHECK(none.steps[0] == doctest::Approx(9));
  CHECK(soft.steps[0] == doctest::Approx(38));
  // On the line from the base, which knows nine of ten, to what the look saw.
  CHECK(none.accuracy.value == doctest::Approx(0.9 + 0.9 * (0.8 - 0.9)));
  CHECK(soft.accuracy.value == doctest::Approx(0.9));
  CHECK(none.kl_to_base->value == doctest::Approx(0.9 * 0.2));
  REQUIRE(comparison.skill_pairs.size() == 1);
  CHECK(comparison.skill_pairs[0].accuracy.value == doctest::Approx(0.09));
  CHECK(comparison.skill_pairs[0].kl_ratio->value == doctest::Approx(1.8));
  // Of the same questions: what the base has, and what is left in the end.
  CHECK(none.base_accuracy == doctest::Approx(0.9));
  CHECK(none.end_accuracy.value == doctest::Approx(0.2));
  CHECK(comparison.skill_pairs[0].end_accuracy.value == doctest::Approx(0.7));
  // At the ends of training it is 70 points.
  CHECK(comparison.paired[0].accuracy.value == doctest::Approx(0.7));
}

TEST_CASE("the level is that of the seed that gains least, and each seed has its own step") {
  const support::Scratch scratch;
  std::vector<fs::path> runs;
  for (const int seed : {1, 2}) {
    runs.push_back(support::make_run(scratch.path(), recipe_of("no_retention", {0.5, 1}, {2, 4}, seed)));
    runs.push_back(support::make_run(
        scratch.path(), recipe_of("soft_retention", {0.25, seed == 1 ? 0.5 : 1.0}, {0, 1}, seed)));
  }
  const Comparison comparison = compare_runs(runs);
  REQUIRE(comparison.skill_pairs.size() == 1);
  const SkillComparison& pair = comparison.skill_pairs[0];
  CHECK(pair.skill == doctest::Approx(0.45));
  CHECK(pair.first_steps[1] == doctest::Approx(9));
  CHECK(pair.second_steps[0] == doctest::Approx(10 + 10 * (0.2 / 0.25)));
  CHECK(pair.second_steps[1] == doctest::Approx(10 + 10 * (0.2 / 0.75)));
  CHECK(pair.seeds == std::vector<std::int64_t>{1, 2});
}

TEST_CASE(
    "what was not looked at, has learnt next to nothing, or saw other clips is left out with a warning") {
  const support::Scratch scratch;
  support::RunRecipe unseen = recipe_of("full_safe", {0.5, 1}, {1, 1});
  unseen.look_every = 0;
  support::RunRecipe other_clips = recipe_of("soft_retention", {0.5, 1}, {2, 4});
  other_clips.clip_ids = {"x", "y"};
  other_clips.more_config = {{"name", "other clips"}};
  support::RunRecipe lazy = recipe_of("soft_retention", {0, 0.4}, {0, 0});
  lazy.more_config = {{"name", "lazy"}};
  const Comparison comparison =
      compare_runs({support::make_run(scratch.path(), recipe_of("no_retention", {0.5, 1}, {2, 4})),
                    support::make_run(scratch.path(), recipe_of("soft_retention", {0.5, 1}, {2, 4})),
                    support::make_run(scratch.path(), unseen), support::make_run(scratch.path(), other_clips),
                    support::make_run(scratch.path(), lazy)});
  CHECK(comparison.at_skill.size() == 2);
  CHECK(comparison.skill_pairs.size() == 1);
  for (const char* name : {"full_safe", "other clips", "lazy"}) {
    CAPTURE(name);
    CHECK(std::count_if(
              comparison.warnings.begin(), comparison.warnings.end(), [&](const std::string& warning) {
                return warning.starts_with(std::string(name) + " is not compared at equal audio skill");
              }) == 1);
  }
}

TEST_CASE("where nothing was looked at, or one setting alone has learnt, there is nothing to show") {
  const support::Scratch scratch;
  support::RunRecipe unseen = recipe_of("soft_retention", {0.5, 1}, {1, 1});
  unseen.look_every = 0;
  const Comparison alone =
      compare_runs({support::make_run(scratch.path(), recipe_of("no_retention", {0.5, 1}, {2, 4})),
                    support::make_run(scratch.path(), unseen)});
  CHECK(alone.at_skill.empty());
  CHECK(alone.skill_pairs.empty());
  CHECK_FALSE(to_json(alone).contains("at_equal_skill"));
  const Comparison none = compare_runs({support::make_run(scratch.path(), unseen)});
  CHECK(to_text(none).find("audio skill") == std::string::npos);
}

TEST_CASE("a page shows the curves and the comparison at equal skill, and verifies") {
  if (!gnuplot_version()) {
    MESSAGE("skipped: gnuplot is not installed");
    return;
  }
  const support::Scratch scratch;
  const Comparison comparison =
      compare_runs({support::make_run(scratch / "runs", recipe_of("no_retention", {0.5, 1}, {2, 4})),
                    support::make_run(scratch / "runs", recipe_of("soft_retention", {0.25, 0.5}, {0, 1}))});
  const fs::path page = scratch / "report.html";
  const std::string text = write_page({comparison, choose_examples(comparison, nullptr), page});
  common::write_file(page, text);
  CHECK(verify_report({page, {}, {}, nullptr}).findings.empty());
  for (const char* id : {"learning-accuracy", "learning-kl", "learning-f1"}) {
    CAPTURE(id);
    CHECK(text.find(id) != std::string::npos);
  }
  CHECK(to_markdown(comparison, "safe-report").find("## At equal audio skill") != std::string::npos);
  CHECK(to_json(comparison).at("paired_at_equal_skill").size() == 1);
}
