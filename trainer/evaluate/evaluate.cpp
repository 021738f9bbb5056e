#include "trainer/evaluate/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/evaluate/speak.hpp"
#include "trainer/model/compat.hpp"
#include "trainer/results/score.hpp"
#include "trainer/results/vqa_accuracy.hpp"
#include "trainer/samples/streams.hpp"

namespace trainer {
namespace {

SpeakOptions options_for(const RunConfig& config, std::int64_t token_limit, const std::string& what) {
  return {config.evaluation.batch_size, token_limit, config.fusion.positions, what, config.verbosity, 1};
}

// One way to ask the questions.
struct Condition {
  std::string name;
  Hearing hearing;
  std::vector<std::string> distractors;  // of each question; empty: none
};

Prediction prediction_of(const QuestionItem& item, const Condition& condition, std::size_t at,
                         const Spoken& safe, const Spoken& base) {
  const QuestionSample& sample = item.sample;
  Prediction one;
  one.kind = PredictionKind::vl;
  one.condition = condition.name;
  one.id = std::to_string(sample.question_id);
  one.question = sample.question;
  one.answer_type = answer_type_of(sample.majority_answer);
  one.references = sample.answers;
  const manifest::Scorer scorer = scorer_of(one);
  one.prediction = answer_in(scorer, safe.text);
  one.score = score_answer(scorer, one.prediction, sample.answers);
  one.base_prediction = answer_in(scorer, base.text);
  one.base_score = score_answer(scorer, *one.base_prediction, sample.answers);
  if (!condition.distractors.empty()) one.distractor = condition.distractors[at];
  one.kl_to_base = safe.kl;
  one.nll = safe.nll;
  one.base_nll = base.nll;
  return one;
}

struct Distractors {
  torch::Tensor clips;             // [questions, D]
  std::vector<std::string> names;  // their clip_ids
};

Distractors distractors_from(const ClipGroup& group, std::int64_t seed, std::int64_t questions) {
  const std::vector<std::int64_t> chosen =
      evaluation_distractors(seed, questions, static_cast<std::int64_t>(group.items.size()));
  Distractors distractors;
  distractors.clips = pick_rows(group.vectors, chosen);
  for (const std::int64_t clip : chosen)
    distractors.names.push_back(group.items[static_cast<std::size_t>(clip)].sample.clip_id);
  return distractors;
}

void append(std::vector<Prediction>& to, std::vector<Prediction> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

// Another clip for each: a rotation of a seeded order, so that nobody hears its own.
torch::Tensor shuffled_vectors(const ClipGroup& group, std::int64_t seed) {
  const auto count = static_cast<std::int64_t>(group.items.size());
  const std::vector<std::int64_t> order = epoch_order(seed, "shuffled-audio", 0, count);
  std::vector<std::int64_t> other(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    other[static_cast<std::size_t>(order[i])] = order[(i + 1) % order.size()];
  return pick_rows(group.vectors, other);
}

// Every condition of the configuration.
std::vector<Condition> conditions_of(const RunConfig& config, const Experiment& experiment,
                                     const SafeModel& model, std::int64_t questions) {
  std::vector<Condition> conditions = {{std::string(condition::k_no_audio), {}, {}}};
  if (config.evaluation.audio_gate == AudioGate::off) return conditions;
  conditions.push_back({std::string(condition::k_silence),
                        {model.silence().unsqueeze(0).expand({questions, -1}).contiguous(), 1.0},
                        {}});
  const auto distracted = [&](std::string_view name, const ClipGroup& group, double gate) {
    if (group.items.empty()) return;
    const Distractors drawn = distractors_from(group, config.seed, questions);
    conditions.push_back({std::string(name), {drawn.clips, gate}, drawn.names});
  };
  distracted(condition::k_distractor_memorised, experiment.train, 1.0);
  distracted(condition::k_distractor_held_out, experiment.held_out, 1.0);
  if (config.evaluation.gate_comparison == GateComparison::none) return conditions;
  distracted(condition::k_gate_0, experiment.train, 0.0);
  distracted(condition::k_gate_025, experiment.train, 0.25);
  distracted(condition::k_gate_05, experiment.train, 0.5);
  distracted(condition::k_gate_1, experiment.train, 1.0);
  return conditions;
}

// What both kinds of sets are asked with, and where the answers go.
struct Questioning {
  const RunConfig& config;
  const Experiment& experiment;
  const SafeModel& model;
  const Compute& compute;
  AnswerLog& log;
  Evaluation& result;
};

std::size_t count_asked(const EvaluationConfig& options, const std::vector<QuestionItem>& items) {
  return static_cast<std::size_t>(options.questions_of(static_cast<std::int64_t>(items.size())));
}

std::int64_t count_captioned(const EvaluationConfig& options, const ClipGroup& clips) {
  return options.clips_of(static_cast<std::int64_t>(clips.items.size()));
}

// The first `count` of `items`, under each condition; `what` names them for progress and log.
void ask_questions(const Questioning& to, const std::vector<QuestionItem>& items, std::size_t count,
                   const std::vector<Condition>& conditions, const std::string& what) {
  std::vector<SpokenRow> rows;
  for (std::size_t i = 0; i < count; ++i) rows.push_back({&items[i].row, items[i].head});
  std::vector<Hearing> hearings;
  for (const Condition& condition : conditions) hearings.push_back(condition.hearing);
  const SpokenSet said =
      speak(to.model, to.experiment.tokenizer, rows, hearings,
            options_for(to.config, to.config.evaluation.answer_tokens, what), to.compute, to.log);
  bool same_bits = to.result.bit_equal_without_audio.value_or(true);
  for (std::size_t c = 0; c < conditions.size(); ++c)
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Spoken& safe = said.safe[c][i];
      same_bits = same_bits && (conditions[c].hearing.clips.defined() || safe.same_bits);
      to.result.predictions.push_back(prediction_of(items[i], conditions[c], i, safe, said.base[i]));
    }
  to.result.bit_equal_without_audio = same_bits;
}

void ask_beyond(const Questioning& to, const QuestionSet& set) {
  std::vector<Condition> conditions;
  const std::size_t count = count_asked(to.config.evaluation, set.items);
  for (const Condition& condition :
       conditions_of(to.config, to.experiment, to.model, static_cast<std::int64_t>(count)))
    if (std::find(k_beyond_conditions.begin(), k_beyond_conditions.end(), condition.name) !=
        k_beyond_conditions.end()) {
      conditions.push_back(condition);
      conditions.back().name = beyond_condition(set.name, condition.name);
    }
  ask_questions(to, set.items, count, conditions, fmt::format("asking, {}", set.name));
}

// Captions with another clip's sound, to tell whether sound is heard.
enum class Shuffled { too, not_at_all };

std::vector<Prediction> caption_group(const RunConfig& config, const Experiment& experiment,
                                      const SafeModel& model, const Compute& compute, AnswerLog& log,
                                      const ClipGroup& group, std::int64_t count, std::string_view name,
                                      const std::string& split, Shuffled shuffled) {
  std::vector<Prediction> predictions;
  if (count == 0) return predictions;
  std::vector<SpokenRow> rows;
  for (std::int64_t i = 0; i < count; ++i)
    rows.push_back({&group.items[static_cast<std::size_t>(i)].row, {}});
  const manifest::Scorer scorer = group.items.front().sample.scorer;
  const std::int64_t token_limit = scorer == manifest::Scorer::captions ? config.evaluation.caption_tokens
                                                                        : config.evaluation.answer_tokens;
  std::vector<Hearing> hearings = {{group.vectors.slice(0, 0, count), 1.0}};
  if (count > 1 && shuffled == Shuffled::too)
    hearings.push_back({shuffled_vectors(group, config.seed).slice(0, 0, count), 1.0});
  SpeakOptions options = options_for(config, token_limit, fmt::format("captioning, {}, {}", name, split));
  if (scorer == manifest::Scorer::captions) options.beams = config.evaluation.caption_beams;
  const SpokenSet said = speak(model, experiment.tokenizer, rows, hearings, options, compute, log);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const ClipSample& sample = group.items[at].sample;
    Prediction one;
    one.kind = PredictionKind::audio;
    one.split = split;
    one.condition = name;
    one.id = sample.clip_id;
    one.references = sample.captions;
    if (scorer != usual_scorer(one.kind)) one.scorer = scorer;
    one.prediction = answer_in(scorer, said.safe[0][at].text);
    one.score = score_answer(scorer, one.prediction, sample.captions);
    one.base_prediction = answer_in(scorer, said.base[at].text);
    one.base_score = score_answer(scorer, *one.base_prediction, sample.captions);
    if (said.safe.size() > 1) {
      one.shuffled_prediction = answer_in(scorer, said.safe[1][at].text);
      one.shuffled_score = score_answer(scorer, *one.shuffled_prediction, sample.captions);
    }
    one.kl_to_base = said.safe[0][at].kl;
    one.nll = said.safe[0][at].nll;
    one.base_nll = said.base[at].nll;
    predictions.push_back(std::move(one));
  }
  return predictions;
}

}  // namespace

Evaluation evaluate(const RunConfig& config, const Experiment& experiment, const SafeModel& model,
                    const Compute& compute, AnswerLog& log) {
  Evaluation result;
  const EvaluationConfig& options = config.evaluation;
  const Questioning to{config, experiment, model, compute, log, result};
  if (!experiment.validation.empty()) {
    const std::size_t count = count_asked(options, experiment.validation);
    ask_questions(to, experiment.validation, count,
                  conditions_of(config, experiment, model, static_cast<std::int64_t>(count)), "asking");
  }
  for (const QuestionSet& set : experiment.beyond) ask_beyond(to, set);
  const auto group = [&](const ClipGroup& clips, std::string_view name) {
    append(result.predictions,
           caption_group(config, experiment, model, compute, log, clips, count_captioned(options, clips),
                         name, "validation", Shuffled::too));
  };
  group(experiment.memorised, condition::k_memorised);
  group(experiment.held_out, condition::k_held_out);
  return result;
}

std::vector<Prediction> evaluate_training(const RunConfig& config, const Experiment& experiment,
                                          const SafeModel& model, const Compute& compute, AnswerLog& log) {
  const std::int64_t count = std::min(config.evaluation.train_batches * config.train_batch_size,
                                      static_cast<std::int64_t>(experiment.train.items.size()));
  return caption_group(config, experiment, model, compute, log, experiment.train,
                       std::max<std::int64_t>(count, 0), condition::k_memorised, "training", Shuffled::too);
}

std::vector<Prediction> evaluate_some(const RunConfig& config, const Experiment& experiment,
                                      const SafeModel& model, const Compute& compute, std::int64_t items) {
  Evaluation result;
  AnswerLog log;
  const Questioning to{config, experiment, model, compute, log, result};
  const std::size_t all = count_asked(config.evaluation, experiment.validation);
  if (all > 0) {
    // A question hears what it hears when all are asked.
    std::vector<Condition> conditions =
        conditions_of(config, experiment, model, static_cast<std::int64_t>(all));
    std::erase_if(conditions,
                  [](const Condition& one) { return one.name != condition::k_distractor_memorised; });
    if (!conditions.empty())
      ask_questions(to, experiment.validation, std::min(all, static_cast<std::size_t>(items)), conditions,
                    "looking, questions");
  }
  append(result.predictions,
         caption_group(config, experiment, model, compute, log, experiment.memorised,
                       std::min(items, count_captioned(config.evaluation, experiment.memorised)),
                       condition::k_memorised, "validation", Shuffled::not_at_all));
  return std::move(result.predictions);
}

}  // namespace trainer
