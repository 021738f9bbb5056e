#include "trainer/results/metrics.hpp"

#include <cmath>
#include <limits>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/sealed/draft_file.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/results/summary.hpp"

#include <doctest/doctest.h>

using namespace trainer;

namespace {

Prediction question(const std::string& id, std::string_view condition, double score, double base_score) {
  Prediction item;
  item.condition = condition;
  item.id = id;
  item.question = "what?";
  item.answer_type = "other";
  item.references = std::vector<std::string>(10, "red");
  item.prediction = score > 0 ? "red" : "blue";
  item.base_prediction = base_score > 0 ? "red" : "blue";
  item.score = score;
  item.base_score = base_score;
  item.kl_to_base = 0.25;
  item.nll = 2;
  item.base_nll = 1.5;
  return item;
}

Prediction clip(const std::string& id, const std::string& said, const std::string& caption) {
  Prediction item;
  item.kind = PredictionKind::audio;
  item.condition = condition::k_memorised;
  item.id = id;
  item.references = {caption};
  item.prediction = said;
  item.score = said == caption ? 1 : 0;
  item.base_score = 0.25;
  item.nll = 0.5;
  return item;
}

std::vector<Prediction> some_items() {
  std::vector<Prediction> items;
  const auto add = [&](std::string_view name, std::vector<std::pair<double, double>> scores) {
    int id = 1;
    for (const auto& [score, base] : scores)
      items.push_back(question(std::to_string(id++), name, score, base));
  };
  add(condition::k_no_audio, {{1, 1}, {1, 1}, {0, 0}, {1, 1}});
  add(condition::k_distractor_memorised, {{1, 1}, {0, 1}, {0.6, 0}, {0, 1}});
  items.push_back(clip("x", "rain falls", "rain falls"));
  items.push_back(clip("y", "dog", "a cat"));
  return items;
}

}  // namespace

TEST_CASE("a prediction reads back as it was written") {
  Prediction item = question("7", condition::k_silence, 0.3, 1);
  item.distractor = "Y\"\n\xC3\xA9";
  item.base_nll.reset();
  const common::Json written = to_json(item);
  CHECK(to_json(prediction_from_json(common::parse_json(common::dump_line(written), "t"), "t")) == written);
  CHECK(written["base_nll"].is_null());
  CHECK(item_key(item) == "vl/validation/silence/7");
}

TEST_CASE("a prediction of an unknown kind or without a key is refused by name") {
  common::Json value = to_json(question("7", condition::k_silence, 0, 0));
  value["kind"] = "smell";
  CHECK_THROWS_WITH_AS((void)prediction_from_json(value, "p: line 1"), doctest::Contains("smell"),
                       common::Error);
  value["kind"] = "vl";
  value.erase("score");
  CHECK_THROWS_WITH_AS((void)prediction_from_json(value, "p: line 1"), doctest::Contains("p: line 1"),
                       common::Error);
}

TEST_CASE("predictions.jsonl with a cut line or an item twice is refused") {
  const support::Scratch scratch;
  const std::string line = common::dump_line(to_json(question("7", condition::k_silence, 0, 0)));
  common::write_file(scratch / "a", line + "\n");
  CHECK(read_predictions(scratch / "a").size() == 1);
  common::write_file(scratch / "a", line + "\n" + line + "\n");
  CHECK_THROWS_WITH_AS((void)read_predictions(scratch / "a"), doctest::Contains("duplicate"), common::Error);
  common::write_file(scratch / "a", line);
  CHECK_THROWS_WITH_AS((void)read_predictions(scratch / "a"), doctest::Contains("cut"), common::Error);
}

TEST_CASE("accuracy, agreement, flips and KL follow from the items") {
  const SplitMetrics split = summarise(some_items(), "validation");
  const ConditionMetrics& heard = split.conditions.at("distractor_memorised");
  CHECK(heard.questions == 4);
  CHECK(heard.accuracy == doctest::Approx(0.4));
  CHECK(heard.base_accuracy == 0.75);
  CHECK(heard.agreement == 0.25);
  CHECK(heard.negative_flips == 2);
  CHECK(heard.positive_flips == 1);
  CHECK(heard.kl_to_base == 0.25);
  CHECK(heard.delta_nll == 0.5);
  CHECK(heard.by_answer_type.at("other") == heard.accuracy);
  CHECK(split.conditions.at("no_audio").agreement == 1);
  CHECK(split.vl_safe_accuracy == heard.accuracy);
  CHECK(split.vl_base_accuracy == 0.75);
  CHECK(split.retention_score == doctest::Approx(0.4 / 0.75));
  CHECK(split.vl_samples == 4);
}

TEST_CASE("audio keys follow from the memorised clips") {
  const SplitMetrics split = summarise(some_items(), "validation");
  CHECK(split.audio_samples == 2);
  CHECK(split.audio_accuracy == 0.5);
  CHECK(split.audio_exact_match == 0.5);
  CHECK(split.audio_gain == 0.25);
  CHECK(split.audio.at("memorised").answer_nll == 0.5);
  CHECK_FALSE(split.audio.at("memorised").shuffled_token_f1.has_value());
  CHECK(split.audio_cider == 100 * *split.audio.at("memorised").cider_d);
}

TEST_CASE(
    "a clip without references, which only somebody else's run can have, has no part in the captions' "
    "scores") {
  std::vector<Prediction> items = {clip("a", "a dog", "a dog"), clip("b", "a cat", "a bell")};
  items.back().references.clear();
  const SplitMetrics one = summarise({items.front()}, "validation"), both = summarise(items, "validation");
  REQUIRE(both.audio.contains(std::string(condition::k_memorised)));
  const AudioMetrics& of_both = both.audio.at(std::string(condition::k_memorised));
  CHECK(of_both.samples == 2);
  CHECK(of_both.token_f1 == one.audio.at(std::string(condition::k_memorised)).token_f1);
  CHECK(summarise({items.back()}, "validation").audio.at(std::string(condition::k_memorised)).token_f1 ==
        std::nullopt);
}

TEST_CASE("a mean over items of which one has no value is null, not the mean of the rest") {
  std::vector<Prediction> items = some_items();
  items[4].kl_to_base.reset();
  const SplitMetrics split = summarise(items, "validation");
  CHECK_FALSE(split.conditions.at("distractor_memorised").kl_to_base.has_value());
  CHECK(split.conditions.at("no_audio").kl_to_base == 0.25);
}

TEST_CASE("where the base knows nothing there is no retention score") {
  const SplitMetrics split =
      summarise({question("1", condition::k_distractor_memorised, 1, 0)}, "validation");
  CHECK(split.vl_base_accuracy == 0.0);
  CHECK_FALSE(split.retention_score.has_value());
}

TEST_CASE("a split sees its own items alone") {
  CHECK(summarise(some_items(), "training").conditions.empty());
  CHECK_FALSE(summarise(some_items(), "training").audio_accuracy.has_value());
}

TEST_CASE("metrics read back as they were written, nulls included") {
  Metrics metrics;
  metrics.validation = summarise(some_items(), "validation");
  metrics.validation.fisher_loss = 0.125;
  metrics.training = SplitMetrics{};
  metrics.bit_equal_without_audio = true;
  metrics.null_space.push_back({"gate", 2, 17, 96, 600, 0.999, 3e-7, 0.5, std::nullopt});
  metrics.mechanisms["kl"] = {10, 9, 0.5};
  metrics.mechanisms["some_other"].measured = {{"penalty", 0.25}, {"unknown", std::nullopt}};
  metrics.gate.push_back({1, {0.5, 0.25, 0.05}, {1.5, std::nullopt, std::nullopt}});
  const std::string text = common::dump_pretty(to_json(metrics));
  const Metrics back = metrics_from_json(common::parse_json(text, "m"), "m");
  CHECK(common::dump_pretty(to_json(back)) == text);
  CHECK(back.null_space.front().rank == 17);
  CHECK(back.mechanisms.at("kl").acted_steps == 9);
  CHECK(back.mechanisms.at("some_other").measured.at("penalty") == 0.25);
  CHECK(back.gate.front().audio.rms == 1.5);
}

TEST_CASE("losses add up: the task, the weighted KL, Fisher and the penalties of all other mechanisms") {
  Metrics metrics;
  metrics.validation.audio["memorised"].answer_nll = 1.0;
  metrics.validation.conditions["distractor_memorised"].kl_to_base = 2.0;
  metrics.validation.fisher_loss = 0.25;
  metrics.mechanisms["l2_sp"].measured["penalty"] = 0.5;
  metrics.mechanisms["start_average"].measured["way_kept"] = 100.0;
  fill_losses(metrics, 0.1);
  CHECK(metrics.validation.retention_loss == doctest::Approx(0.2 + 0.25 + 0.5));
  CHECK(metrics.validation.total_loss == doctest::Approx(1.95));
}

TEST_CASE("metrics.json has every key of the original") {
  const common::Json split = to_json(Metrics{})["validation"];
  for (const char* key : {"total_loss",
                          "audio_task_loss",
                          "audio_accuracy",
                          "audio_exact_match",
                          "audio_token_f1",
                          "audio_bertscore",
                          "vl_safe_accuracy",
                          "vl_base_accuracy",
                          "audio_gain",
                          "audio_samples",
                          "vl_samples",
                          "total_samples",
                          "audio_bleu_1",
                          "audio_bleu_2",
                          "audio_bleu_3",
                          "audio_bleu_4",
                          "audio_bleu",
                          "audio_meteor",
                          "audio_rouge_l",
                          "audio_cider",
                          "audio_spice",
                          "audio_spider",
                          "audio_caption_samples",
                          "retention_loss",
                          "distillation_loss",
                          "fisher_loss",
                          "retention_score"}) {
    CAPTURE(key);
    CHECK(split.contains(key));
  }
  CHECK(split["conditions"].size() == k_vl_conditions.size());
  CHECK_FALSE(to_json(Metrics{}).contains("training"));
}

TEST_CASE("every condition beyond the stream has a set and a condition, and no other name is one") {
  for (const std::string_view set : k_question_sets)
    for (const std::string_view condition : k_beyond_conditions) {
      const std::string name = beyond_condition(set, condition);
      CAPTURE(name);
      CHECK(is_vl_condition(name));
      CHECK(parts_of(name).set == set);
      CHECK(parts_of(name).condition == condition);
    }
  for (const std::string_view name : k_vl_conditions) {
    CHECK(is_vl_condition(name));
    CHECK(parts_of(name).set.empty());
    CHECK(parts_of(name).condition == name);
  }
  for (const char* name : {"", ":", "unlike", "unlike:", ":no_audio", "unlike:silence", "like:no_audio",
                           "unlike:no_audio:no_audio", "memorised"}) {
    CAPTURE(name);
    CHECK_FALSE(is_vl_condition(name));
  }
  Metrics metrics;
  metrics.validation.conditions["unlike:no_audio"].questions = 7;
  const common::Json value = to_json(metrics);
  CHECK(value["validation"]["conditions"].size() == k_vl_conditions.size() + 1);
  CHECK(metrics_from_json(value, "here").validation.conditions.at("unlike:no_audio").questions == 7);
}

TEST_CASE("a number that JSON cannot hold is null") {
  Metrics metrics;
  metrics.validation.total_loss = std::numeric_limits<double>::quiet_NaN();
  metrics.fisher_trace = std::numeric_limits<double>::infinity();
  const common::Json value = to_json(metrics);
  CHECK(value["validation"]["total_loss"].is_null());
  CHECK(value["fisher_trace"].is_null());
}
