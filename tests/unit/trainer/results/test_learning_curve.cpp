#include "trainer/results/learning_curve.hpp"

#include <functional>

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_run.hpp"
#include "trainer/results/run_check.hpp"
#include "trainer/results/run_summary.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using common::Json;
namespace fs = std::filesystem;

namespace {

const support::RunRecipe k_recipe = {
    .scores = {1, 0.3, 0.6, 0},
    .kl = 0.25,
    .token_f1 = {1, 0.5, 0},
    .steps = 6,
    .look_every = 2,
    .looks = {{{1, 1, 1, 0}, {0, 0, 0}, 0.0625}, {{1, 0.6, 1, 0}, {0.5, 0, 0}, 0.125}}};

struct SealedRun {
  support::Scratch scratch;
  fs::path run = support::make_run(scratch.path(), k_recipe);

  [[nodiscard]] std::vector<Json> lines() const {
    std::vector<Json> lines;
    for (const CurveLook& look : read_curve(common::Folder::open(run))) lines.push_back(to_json(look));
    return lines;
  }
  [[nodiscard]] common::Findings findings_with(const std::vector<Json>& lines) const {
    std::string text;
    for (const Json& line : lines) text += common::dump_line(line) + "\n";
    support::put_file(run / k_curve_file, text);
    return findings();
  }
  [[nodiscard]] common::Findings findings() const {
    fs::remove(run / common::k_seal_name);
    seal_run(run);
    return verify_run(run).findings;
  }
};

}  // namespace

TEST_CASE("looks are at every multiple, and not at the end, which predictions.jsonl has") {
  const CurveConfig curve{3, 10};
  std::vector<std::int64_t> steps;
  for (std::int64_t step = 0; step <= 9; ++step)
    if (is_look(curve, step, 9)) steps.push_back(step);
  CHECK(steps == std::vector<std::int64_t>{3, 6});
  CHECK_FALSE(is_look({}, 3, 9));
}

TEST_CASE("a run with a learning curve verifies, and a summary has it from the base to the end") {
  const SealedRun sealed;
  CHECK(sealed.findings().empty());
  const RunSummary run = read_run(sealed.run);
  REQUIRE(run.curve.size() == 4);
  const auto mean = [&](std::size_t at, std::string_view table, std::string_view measure) {
    const std::vector<double>& values =
        run.curve[at].tables.at(std::string(table)).values.at(std::string(measure));
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
  };
  const std::vector<std::int64_t> steps = {0, 2, 4, 6};
  const std::vector<double> accuracies = {0.75, 0.75, 0.65, 0.475}, kl = {0, 0.0625, 0.125, 0.25},
                            f1 = {0, 0, 0.5 / 3, 0.5};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    CAPTURE(i);
    CHECK(run.curve[i].step == steps[i]);
    CHECK(mean(i, condition::k_distractor_memorised, measure::k_accuracy) == doctest::Approx(accuracies[i]));
    CHECK(mean(i, condition::k_distractor_memorised, measure::k_kl_to_base) == doctest::Approx(kl[i]));
    CHECK(mean(i, condition::k_memorised, measure::k_token_f1) == doctest::Approx(f1[i]));
  }
}

TEST_CASE("every edit of a learning curve is found but of what was said, which only the model knows") {
  const SealedRun sealed;
  const std::vector<Json> lines = sealed.lines();
  REQUIRE(lines.size() == 2);
  for (std::size_t at = 0; at < lines.size(); ++at) {
    const Json flat = lines[at].flatten();
    for (const auto& [path, value] : flat.items()) {
      const Json::json_pointer leaf(path);
      const bool is_models = leaf.back() == "prediction" || leaf.back() == "kl_to_base";
      std::vector<Json> edited = lines;
      edited[at][leaf] = value.is_string()           ? Json(value.get<std::string>() + "x")
                         : value.is_number_integer() ? Json(value.get<std::int64_t>() + 1)
                                                     : Json(-0.5);
      CAPTURE(leaf.to_string());
      CHECK(sealed.findings_with(edited).empty() == (is_models && value.is_string()));
    }
  }
}

TEST_CASE("a look that is missing, doubled or of other items is found") {
  const SealedRun sealed;
  const std::vector<Json> lines = sealed.lines();
  const std::vector<std::function<void(std::vector<Json>&)>> edits = {
      [](std::vector<Json>& all) { all.pop_back(); },
      [](std::vector<Json>& all) { all.erase(all.begin()); },
      [](std::vector<Json>& all) { all.push_back(all.back()); },
      [](std::vector<Json>& all) { std::swap(all[0], all[1]); },
      [](std::vector<Json>& all) { all[0]["questions"].erase(3); },
      [](std::vector<Json>& all) { all[1]["clips"] = Json::array(); },
      [](std::vector<Json>& all) { std::swap(all[0]["questions"][0], all[0]["questions"][1]); },
      [](std::vector<Json>& all) { all[0]["more"] = 1; },
      [](std::vector<Json>& all) { all[0].erase("clips"); },
      [](std::vector<Json>& all) { all[0] = 7; },
      [](std::vector<Json>& all) { all[0]["questions"][1]["kl_to_base"] = nullptr; },
      [](std::vector<Json>& all) { all.clear(); }};
  for (std::size_t i = 0; i < edits.size(); ++i) {
    CAPTURE(i);
    std::vector<Json> edited = lines;
    edits[i](edited);
    CHECK_FALSE(sealed.findings_with(edited).empty());
  }
  CHECK(sealed.findings_with(lines).empty());
  fs::remove(sealed.run / k_curve_file);
  CHECK_FALSE(sealed.findings().empty());
}

TEST_CASE("a learning curve that config.json does not ask for is found") {
  const SealedRun sealed;
  support::RunRecipe without = k_recipe;
  without.look_every = 0;
  const fs::path other = support::make_run(sealed.scratch / "others", without);
  fs::copy_file(sealed.run / k_curve_file, other / k_curve_file);
  fs::remove(other / common::k_seal_name);
  seal_run(other);
  CHECK_FALSE(verify_run(other).findings.empty());
}

TEST_CASE("what a stopped run saw after its checkpoint is cut off") {
  const SealedRun sealed;
  const common::Folder folder = common::Folder::open(sealed.run);
  cut_curve(folder, 3);
  REQUIRE(read_curve(folder).size() == 1);
  CHECK(read_curve(folder).front().step == 2);
  // A process was killed inside a write, behind the last whole line.
  support::put_file(sealed.run / k_curve_file,
                    support::text_of_file(sealed.run / k_curve_file) + "{\"step\": 4, \"que");
  cut_curve(folder, 3);
  CHECK(read_curve(folder).size() == 1);
  cut_curve(folder, 1);
  CHECK(read_curve(folder).empty());
  CHECK(folder.look(k_curve_file));
}
