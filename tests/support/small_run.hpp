// Finished runs of a few items, made by code: what a report needs, sealed like real ones, and like them in
// that all of it follows from the answers.
#pragma once

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "common/json.hpp"
#include "trainer/results/config_keys.hpp"
#include "trainer/results/learning_curve.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/results/prediction.hpp"
#include "trainer/results/run_directory.hpp"
#include "trainer/results/run_seal.hpp"
#include "trainer/results/summary.hpp"
#include "trainer/samples/schedule.hpp"
#include "trainer/samples/streams.hpp"

namespace support {

// What was seen while it was trained: scores and token F1 as in a RunRecipe.
struct LookRecipe {
  std::vector<double> scores, token_f1;
  double kl = 0;
};

struct RunRecipe {
  std::string variant = "no_retention";
  std::string pack_id = std::string(64, 'a');
  std::string base_digest = std::string(64, 'b');
  // Under a memorised distractor; the base knows all but the last. 0, 0.3, 0.6, 0.9 or 1, like those of the
  // sweep.
  std::vector<double> scores = {1, 1, 0, 0};
  std::vector<std::string> question_ids{};  // "0", "1", ... where empty
  std::string question = "What colour is it?";
  std::string wrong_answer = "blue";
  std::optional<double> kl{};           // of every question, nats
  std::vector<double> token_f1{};       // of memorised clips; 1, 0.5, 0.4, ..., 2 / n, or 0
  std::vector<std::string> clip_ids{};  // "clip_0", ... where empty
  manifest::Scorer clip_scorer = manifest::Scorer::captions;  // with the other, token_f1 of 0 and 1 alone
  // Of other questions, in words that retention does not see, under a memorised distractor; with the base's
  // knowledge as above.
  std::vector<double> unlike{};
  std::vector<double> sweep{};  // accuracy of every question at gate 0, 0.25, 0.5, 1
  int steps = 1;                // of the history
  int look_every = 0;           // steps; 0: never looked at
  std::vector<LookRecipe> looks{};
  std::optional<trainer::NullSpaceMetrics> null_space{};
  common::Json more_config = common::Json::object();
  bool bit_equal = true;
  int seed = 42;
};

inline std::string name_at(const std::vector<std::string>& names, std::size_t at, const std::string& prefix) {
  return names.empty() ? prefix + std::to_string(at) : names.at(at);
}

// Ten people: what four, three, two, one and none of them said.
inline std::string answer_with(double score, const std::string& wrong_answer) {
  for (const auto& [one, answer] :
       {std::pair(1.0, "red"), std::pair(0.9, "scarlet"), std::pair(0.6, "rose"), std::pair(0.3, "pink")})
    if (score == one) return answer;
  ENSURE(score == 0);
  return wrong_answer;
}

inline std::vector<std::string> ten_answers() {
  return {"red", "red", "red", "red", "scarlet", "scarlet", "scarlet", "rose", "rose", "pink"};
}

inline std::vector<trainer::Prediction> questions_of(const RunRecipe& recipe, std::string_view condition,
                                                     const std::vector<double>& scores) {
  const auto count = static_cast<std::int64_t>(scores.size());
  const auto clips = static_cast<std::int64_t>(recipe.token_f1.size());
  std::vector<std::int64_t> heard(scores.size(), 0);
  if (clips > 0) heard = trainer::evaluation_distractors(recipe.seed, count, clips);
  std::vector<trainer::Prediction> items;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool base_knows = i + 1 < scores.size();
    trainer::Prediction item;
    item.condition = condition;
    item.id = name_at(recipe.question_ids, i, "");
    item.question = recipe.question;
    item.answer_type = "other";
    item.references = ten_answers();
    item.prediction = answer_with(scores[i], recipe.wrong_answer);
    item.base_prediction = base_knows ? "red" : "blue";
    item.score = scores[i];
    item.base_score = base_knows ? 1 : 0;
    item.kl_to_base = recipe.kl;
    item.distractor = name_at(recipe.clip_ids, static_cast<std::size_t>(heard[i]), "clip_");
    items.push_back(item);
  }
  return items;
}

// As the base answers, which is what a run without audio does.
inline std::vector<trainer::Prediction> without_audio(RunRecipe recipe, std::string_view condition,
                                                      std::size_t count) {
  recipe.wrong_answer = "blue";
  if (recipe.kl) recipe.kl = 0;
  std::vector<double> scores(count, 1);
  scores.back() = 0;
  std::vector<trainer::Prediction> items = questions_of(recipe, condition, scores);
  for (trainer::Prediction& item : items) item.distractor.reset();
  return items;
}

inline void add_questions(std::vector<trainer::Prediction>& to, std::vector<trainer::Prediction> items,
                          const std::string& prefix = "") {
  for (trainer::Prediction& item : items) {
    item.id = prefix + item.id;
    to.push_back(std::move(item));
  }
}

// Against "a dog barks": one word in common, and as many others as the score takes.
inline std::string caption_with(double token_f1) {
  if (token_f1 == 1) return "a dog barks";
  if (token_f1 == 0) return "zebra";
  std::string caption = "dog";
  for (int words = static_cast<int>(2 / token_f1 - 3 + 0.5); words > 1; --words) caption += " zebra";
  return caption;
}

inline std::vector<trainer::Prediction> clips_of(const RunRecipe& recipe) {
  std::vector<trainer::Prediction> items;
  for (std::size_t i = 0; i < recipe.token_f1.size(); ++i) {
    trainer::Prediction item;
    item.kind = trainer::PredictionKind::audio;
    item.condition = trainer::condition::k_memorised;
    item.id = name_at(recipe.clip_ids, i, "clip_");
    item.references = {"a dog barks"};
    item.prediction = caption_with(recipe.token_f1[i]);
    item.score = recipe.token_f1[i];
    if (recipe.clip_scorer != trainer::usual_scorer(item.kind)) item.scorer = recipe.clip_scorer;
    item.base_prediction = "";
    item.base_score = 0;
    items.push_back(item);
  }
  return items;
}

inline std::vector<trainer::Prediction> predictions_of(const RunRecipe& recipe) {
  namespace condition = trainer::condition;
  std::vector<trainer::Prediction> items =
      questions_of(recipe, condition::k_distractor_memorised, recipe.scores);
  const std::string_view gates[] = {condition::k_gate_0, condition::k_gate_025, condition::k_gate_05,
                                    condition::k_gate_1};
  for (std::size_t g = 0; g < recipe.sweep.size(); ++g)
    for (trainer::Prediction& item :
         questions_of(recipe, gates[g], std::vector<double>(recipe.scores.size(), recipe.sweep[g])))
      items.push_back(item);
  if (!recipe.unlike.empty()) {  // every set is asked, or none
    add_questions(items, without_audio(recipe, condition::k_no_audio, recipe.scores.size()));
    for (const std::string_view set : trainer::k_question_sets) {
      const bool is_unlike = set == trainer::question_set::k_unlike;
      const std::vector<double>& scores = is_unlike ? recipe.unlike : recipe.scores;
      const std::string prefix = is_unlike ? "unlike_" : "";
      add_questions(
          items, without_audio(recipe, trainer::beyond_condition(set, condition::k_no_audio), scores.size()),
          prefix);
      add_questions(
          items,
          questions_of(recipe, trainer::beyond_condition(set, condition::k_distractor_memorised), scores),
          prefix);
    }
  }
  for (const trainer::Prediction& item : clips_of(recipe)) items.push_back(item);
  return items;
}

inline trainer::CurveLook look_of(const RunRecipe& recipe, std::size_t at) {
  RunRecipe then = recipe;
  then.scores = recipe.looks[at].scores;
  then.token_f1 = recipe.looks[at].token_f1;
  trainer::CurveLook look{static_cast<std::int64_t>(at + 1) * recipe.look_every, {}, {}};
  for (const trainer::Prediction& item :
       questions_of(then, trainer::condition::k_distractor_memorised, then.scores))
    look.questions.push_back({item.id, item.prediction, recipe.looks[at].kl});
  for (const trainer::Prediction& item : clips_of(then)) look.clips.push_back({item.id, item.prediction, {}});
  return look;
}

inline std::vector<common::Json> history_of(const RunRecipe& recipe) {
  std::vector<common::Json> records;
  for (int step = 1; step <= recipe.steps; ++step) {
    const double factor = trainer::schedule_factor(step, recipe.steps, trainer::warmup_steps(recipe.steps)),
                 audio = 1.5 / step, kl = 0.5 / step;
    records.push_back({{"step", step},
                       {"epoch", step - 1},
                       {"lr_projector", 0.1 * factor},
                       {"lr_adapter", 0.01 * factor},
                       {"total_loss", audio + kl},
                       {"audio_task_loss", audio},
                       {"audio_gradient_norm", 1.0},
                       {"kl_loss", kl},
                       {"kl_gradient_norm", recipe.bit_equal ? 0.25 : 0.0},
                       {"gradient_norm", 1.25}});
  }
  return records;
}

inline std::filesystem::path make_run(const std::filesystem::path& root, const RunRecipe& recipe) {
  const std::size_t clips = std::max<std::size_t>(recipe.token_f1.size(), 1);
  common::Json config = {{"variant", recipe.variant},
                         {"subset_size", clips},
                         {"seed", recipe.seed},
                         {"train_batch_size", clips},
                         {"num_epochs", recipe.steps},
                         {"learning_rate_projector", 0.1},
                         {"learning_rate_adapter", 0.01},
                         {"train_accuracy_interval", 0},
                         {"train_accuracy_warmup", 0},
                         {"pack_id", recipe.pack_id},
                         {"base_digest", recipe.base_digest}};
  if (recipe.look_every > 0)
    config[trainer::k_learning_curve] = to_json(trainer::CurveConfig{recipe.look_every, 1000});
  if (!recipe.unlike.empty()) config[trainer::k_beyond_stream] = trainer::k_asked;
  config.update(recipe.more_config);
  common::Json settings = config;
  for (const std::string_view fact : trainer::k_outside_digest) settings.erase(std::string(fact));
  const common::Digest digest = common::digest_of(common::dump_line(settings));
  trainer::RunDirectory run =
      trainer::RunDirectory::create(root, recipe.variant, digest, std::chrono::system_clock::from_time_t(0));
  config["config_digest"] = digest.hex();
  config["output_dir"] = run.path().filename().string();
  const std::vector<trainer::Prediction> items = predictions_of(recipe);
  trainer::Metrics metrics;
  metrics.validation = trainer::summarise(items, "validation");
  metrics.bit_equal_without_audio = recipe.bit_equal;
  for (const common::Json& record : history_of(recipe)) trainer::count_activity(metrics.mechanisms, record);
  if (recipe.null_space) metrics.null_space.push_back(*recipe.null_space);
  const common::Json retention = config.value("retention", common::Json::object());
  const auto weight_of = [&](const char* name) {
    return retention.contains(name) ? retention.at(name).at("weight").get<double>() : 0.0;
  };
  if (weight_of("fisher") > 0) metrics.fisher_trace = metrics.validation.fisher_loss = 0.5;
  trainer::fill_losses(metrics, weight_of("kl"));
  const bool is_protected = retention.contains("null_space") && !retention.at("null_space").is_null();
  if (is_protected && !recipe.null_space)
    metrics.null_space.push_back({"gate", 1, 10, 96, 600, 0.99, 1e-7, 2e-6, 1e-6});
  run.write_config(config);
  run.write_metrics(metrics);
  std::vector<std::int64_t> indices(clips);
  std::iota(indices.begin(), indices.end(), 0);
  run.write_subset_indices(indices);
  run.write_predictions(items);
  trainer::JsonLines history = run.history();
  for (const common::Json& record : history_of(recipe)) history.append(record);
  if (recipe.look_every > 0) {
    trainer::JsonLines curve(run.folder(), trainer::k_curve_file);
    for (std::size_t i = 0; i < recipe.looks.size(); ++i) curve.append(to_json(look_of(recipe, i)));
  }
  trainer::seal_run(run.path());
  return run.path();
}

}  // namespace support
