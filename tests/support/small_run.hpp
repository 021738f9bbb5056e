// Finished runs of a few items, made by code: what a report needs, sealed like real ones.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/json.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/results/prediction.hpp"
#include "trainer/results/run_directory.hpp"

namespace support {

struct RunRecipe {
  std::string variant = "no_retention";
  std::string pack_id = std::string(64, 'a');
  std::string base_digest = std::string(64, 'b');
  std::vector<double> scores = {1, 1, 0, 0};  // under a memorised distractor; the base knows all but the last
  std::vector<std::string> question_ids{};    // "0", "1", ... where empty
  std::string question = "What colour is it?";
  std::string wrong_answer = "blue";
  std::optional<double> kl{};           // of every question, nats
  std::vector<double> token_f1{};       // of memorised clips
  std::vector<std::string> clip_ids{};  // "clip_0", ... where empty
  std::vector<double> sweep{};          // accuracy of every question at gate 0, 0.25, 0.5, 1
  int steps = 1;                        // of the history
  std::optional<trainer::NullSpaceMetrics> null_space{};
  common::Json more_config = common::Json::object();
  bool bit_equal = true;
  int seed = 42;
};

inline std::string name_at(const std::vector<std::string>& names, std::size_t at, const std::string& prefix) {
  return names.empty() ? prefix + std::to_string(at) : names.at(at);
}

inline std::vector<trainer::Prediction> questions_of(const RunRecipe& recipe, std::string_view condition,
                                                     const std::vector<double>& scores) {
  std::vector<trainer::Prediction> items;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool base_knows = i + 1 < scores.size();
    trainer::Prediction item;
    item.condition = condition;
    item.id = name_at(recipe.question_ids, i, "");
    item.question = recipe.question;
    item.answer_type = "other";
    item.references = {"red"};
    item.prediction = scores[i] > 0 ? "red" : recipe.wrong_answer;
    item.base_prediction = base_knows ? "red" : "blue";
    item.score = scores[i];
    item.base_score = base_knows ? 1 : 0;
    item.kl_to_base = recipe.kl;
    item.distractor = "clip_0";
    items.push_back(item);
  }
  return items;
}

inline std::vector<trainer::Prediction> clips_of(const RunRecipe& recipe) {
  std::vector<trainer::Prediction> items;
  for (std::size_t i = 0; i < recipe.token_f1.size(); ++i) {
    trainer::Prediction item;
    item.kind = trainer::PredictionKind::audio;
    item.condition = trainer::condition::k_memorised;
    item.id = name_at(recipe.clip_ids, i, "clip_");
    item.references = {"a dog barks"};
    item.prediction = recipe.token_f1[i] == 1 ? "a dog barks" : "a cat";
    item.score = recipe.token_f1[i];
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
  for (const trainer::Prediction& item : clips_of(recipe)) items.push_back(item);
  return items;
}

inline std::filesystem::path make_run(const std::filesystem::path& root, const RunRecipe& recipe) {
  common::Json config = {{"variant", recipe.variant},
                         {"seed", recipe.seed},
                         {"pack_id", recipe.pack_id},
                         {"base_digest", recipe.base_digest}};
  config.update(recipe.more_config);
  trainer::RunDirectory run =
      trainer::RunDirectory::create(root, recipe.variant, common::digest_of(common::dump_line(config)),
                                    std::chrono::system_clock::from_time_t(0));
  const std::vector<trainer::Prediction> items = predictions_of(recipe);
  trainer::Metrics metrics;
  metrics.validation = trainer::summarise(items, "validation");
  metrics.bit_equal_without_audio = recipe.bit_equal;
  metrics.mechanisms["kl"] = {10, recipe.bit_equal ? 10 : 0, 1.0};
  if (recipe.null_space) metrics.null_space.push_back(*recipe.null_space);
  run.write_config(config);
  run.write_metrics(metrics);
  run.write_subset_indices({});
  run.write_predictions(items);
  trainer::JsonLines history = run.history();
  for (int step = 1; step <= recipe.steps; ++step)
    history.append({{"step", step},
                    {"epoch", 0},
                    {"lr_projector", 0.1},
                    {"total_loss", 2.0 / step},
                    {"kl_loss", 0.5 / step}});
  trainer::seal_run(run.path());
  return run.path();
}

}  // namespace support
