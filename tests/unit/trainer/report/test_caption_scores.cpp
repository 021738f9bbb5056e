#include "trainer/report/caption_scores.hpp"

#include "common/error.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_run.hpp"
#include "trainer/report/comparison.hpp"
#include "trainer/report/text.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::make_run;

namespace {

const std::string k_memorised{condition::k_memorised}, k_held_out{condition::k_held_out};

}  // namespace

TEST_CASE("captions are written down with their references, in the order of the run") {
  const support::Scratch scratch;
  const RunSummary run =
      read_run(make_run(scratch.path(), {.token_f1 = {1, 0.5, 0}, .clip_ids = {"a", "b", "c"}}));
  const common::Json captions = export_captions(run, k_memorised);
  CHECK(captions.at("run") == run.sums_digest.hex());
  CHECK(captions.at("ids") == common::Json({"a", "b", "c"}));
  REQUIRE(captions.at("candidates").size() == 3);
  const std::vector<Prediction> said = read_predictions(run.path / "predictions.jsonl");
  std::size_t clip = 0;
  for (const Prediction& item : said) {
    if (item.kind != PredictionKind::audio || item.condition != k_memorised || item.split != "validation")
      continue;
    CHECK(captions.at("candidates")[clip] == item.prediction);
    CHECK(captions.at("mult_references")[clip] == common::Json(item.references));
    ++clip;
  }
  CHECK(clip == 3);
}

TEST_CASE("clips that a run does not have, or that are not scored as captions, are refused by name") {
  const support::Scratch scratch;
  const RunSummary run = read_run(make_run(scratch / "captions", {.token_f1 = {1, 0.5}}));
  CHECK_THROWS_WITH_AS((void)export_captions(run, k_held_out), doctest::Contains("no held_out clips"),
                       common::Error);
  const RunSummary answers = read_run(
      make_run(scratch / "answers", {.token_f1 = {1, 0}, .clip_scorer = manifest::Scorer::vqa_accuracy}));
  CHECK_THROWS_WITH_AS((void)export_captions(answers, k_memorised), doctest::Contains("not as captions"),
                       common::Error);
}

TEST_CASE("scores are read as they are written, one or many") {
  const common::Json one = {
      {"run", std::string(64, 'a')}, {"clips", "held_out"}, {"scores", {{"fense", 0.5}, {"spider", 1}}}};
  const std::vector<CaptionScores> read = parse_caption_scores(one, "scores.json");
  REQUIRE(read.size() == 1);
  CHECK(read[0].scores == std::map<std::string, double>{{"fense", 0.5}, {"spider", 1}});
  CHECK(parse_caption_scores(common::Json::array({one, one}), "scores.json").size() == 2);
  CHECK(parse_caption_scores(to_json(read), "scores.json")[0].scores == read[0].scores);
  const auto refused = [&](const char* key, const common::Json& value) {
    common::Json bad = one;
    bad[key] = value;
    CAPTURE(common::dump_line(bad));
    CHECK_THROWS_WITH_AS((void)parse_caption_scores(bad, "scores.json"), doctest::Contains("scores.json"),
                         common::Error);
  };
  refused("run", "abc");
  refused("run", 3);
  refused("clips", "all");
  refused("scores", common::Json::object());
  refused("scores", {{"fense", "high"}});
  refused("scores", {{"fense", nullptr}});
  refused("scores", 0.5);
}

TEST_CASE("a report shows scores of its own runs, and refuses those of another and those given twice") {
  const support::Scratch scratch;
  const auto path = make_run(scratch.path(), {.token_f1 = {1, 0.5}});
  const CaptionScores scores{read_run(path).sums_digest.hex(), k_memorised, {{"fense", 0.625}}};
  const std::string text = to_text(compare_runs({path}, {.caption_scores = {scores}}));
  CHECK(text.find("fense") != std::string::npos);
  CHECK(text.find("0.6250") != std::string::npos);
  CHECK(to_text(compare_runs({path})).find("another program") == std::string::npos);
  CHECK_THROWS_WITH_AS((void)compare_runs({path}, {.caption_scores = {scores, scores}}),
                       doctest::Contains("twice"), common::Error);
  CaptionScores others = scores;
  others.run_digest = std::string(64, 'a');
  CHECK_THROWS_WITH_AS((void)compare_runs({path}, {.caption_scores = {others}}),
                       doctest::Contains("not among these runs"), common::Error);
}
