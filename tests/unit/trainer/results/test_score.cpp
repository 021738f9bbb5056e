#include "trainer/results/score.hpp"

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_run.hpp"
#include "trainer/results/run_check.hpp"
#include "trainer/results/run_summary.hpp"

#include <doctest/doctest.h>

using namespace trainer;

namespace {

// Answered by five people, as sounds are in data sets of questions about them.
Prediction clip(std::optional<manifest::Scorer> scorer) {
  Prediction item;
  item.kind = PredictionKind::audio;
  item.condition = condition::k_memorised;
  item.id = "x";
  item.references = {"yes", "yes", "yes", "yes", "no"};
  item.prediction = "yes, it is";
  item.scorer = scorer;
  return item;
}

std::string key_of(const Prediction& item) { return to_json(item).value("scorer", "none"); }

}  // namespace

TEST_CASE("an answer is scored as its data set says") {
  const std::vector<std::string> references = {"a dog", "a dog", "a dog", "a dog barks"};
  CHECK(score_answer(manifest::Scorer::captions, "a dog barks", references) == 1);
  CHECK(score_answer(manifest::Scorer::vqa_accuracy, "a dog barks", references) == doctest::Approx(0.25));
  CHECK(answer_in(manifest::Scorer::captions, "Two dogs. They\nbark.") == "Two dogs. They bark.");
  CHECK(answer_in(manifest::Scorer::vqa_accuracy, "Two dogs. They\nbark.") == "Two dogs");
}

TEST_CASE("a line names its scorer only where that is not the usual one of its kind") {
  CHECK(key_of(clip(std::nullopt)) == "none");
  CHECK(key_of(clip(manifest::Scorer::captions)) == "none");
  CHECK(key_of(clip(manifest::Scorer::vqa_accuracy)) == "vqa_accuracy");
  CHECK(key_of(Prediction{}) == "none");
  for (const auto scorer : {manifest::Scorer::captions, manifest::Scorer::vqa_accuracy}) {
    const common::Json line = to_json(clip(scorer));
    const Prediction again = prediction_from_json(line, "p: line 1");
    CHECK(scorer_of(again) == scorer);
    CHECK(to_json(again) == line);
  }
}

TEST_CASE("a line whose scorer nobody knows is refused by its name") {
  common::Json line = to_json(clip(manifest::Scorer::vqa_accuracy));
  line["scorer"] = "smell";
  CHECK_THROWS_WITH_AS(
      (void)prediction_from_json(line, "p: line 1"),
      "p: line 1: \"scorer\" is \"smell\", which this program does not know; take a newer one",
      common::Error);
}

TEST_CASE("clips that are scored by VQA accuracy have accuracies, and no metric of captions") {
  const support::Scratch scratch;
  const std::filesystem::path run =
      support::make_run(scratch.path(), {.token_f1 = {1, 0}, .clip_scorer = manifest::Scorer::vqa_accuracy});
  CHECK(verify_run(run).findings.empty());
  const RunSummary summary = read_run(run);
  const AudioMetrics& clips = summary.metrics.validation.audio.at("memorised");
  CHECK(clips.accuracy == 0.5);
  CHECK(clips.base_accuracy == 0);
  CHECK(clips.gain_over_base == 0.5);
  CHECK_FALSE(clips.token_f1.has_value());
  CHECK_FALSE(clips.cider_d.has_value());
  CHECK(summary.metrics.validation.audio_accuracy == 0.5);
  CHECK(summary.metrics.validation.audio_caption_samples == 0);
  const ItemTable& table = summary.tables.at("memorised");
  CHECK(table.values.at("accuracy") == std::vector<double>{1, 0});
  CHECK_FALSE(table.values.contains("token_f1"));
}

TEST_CASE("a scorer that is taken out of one line, or put into one, is found") {
  for (const auto scorer : {manifest::Scorer::captions, manifest::Scorer::vqa_accuracy}) {
    const support::Scratch scratch;
    const std::filesystem::path run =
        support::make_run(scratch.path(), {.token_f1 = {1, 1}, .clip_scorer = scorer});
    std::vector<Prediction> items = read_predictions(run / "predictions.jsonl");
    items.back().scorer =
        scorer == manifest::Scorer::captions ? std::optional(manifest::Scorer::vqa_accuracy) : std::nullopt;
    std::string text;
    for (const Prediction& item : items) text += common::dump_line(to_json(item)) + "\n";
    support::put_file(run / "predictions.jsonl", text);
    std::filesystem::remove(run / "SHA256SUMS");
    seal_run(run);
    std::string found;
    for (const common::Finding& finding : verify_run(run).findings) found += common::describe(finding) + "\n";
    CHECK(found.find("1 of 2 items of audio/validation/memorised have scorer") != std::string::npos);
  }
}
