#include "trainer/evaluate/evaluate.hpp"

#include <algorithm>

#include "trainer/evaluate/speak.hpp"
#include "trainer/model/compat.hpp"
#include "trainer/results/score.hpp"
#include "trainer/results/vqa_accuracy.hpp"
#include "trainer/samples/streams.hpp"

namespace trainer {
namespace {

std::int64_t limit_of(std::int64_t own_batches, std::int64_t all_batches, std::int64_t batch_size,
                      std::size_t items) {
  std::int64_t limit = static_cast<std::int64_t>(items);
  if (own_batches > 0) limit = std::min(limit, own_batches * batch_size);
  if (all_batches > 0) limit = std::min(limit, all_batches * batch_size);
  return limit;
}

SpeakOptions options_for(const RunConfig& config, std::int64_t token_limit, const std::string& what) {
  return {config.evaluation.batch_size, token_limit, config.fusion.positions, what, config.verbosity};
}

// The questions under one condition.
class QuestionAsker {
 public:
  QuestionAsker(const RunConfig& config, const Experiment& experiment, const SafeModel& model,
                const Compute& compute)
      : config_(config), experiment_(experiment), model_(model), compute_(compute) {
    const std::int64_t count = limit_of(config.evaluation.max_vl_batches, config.evaluation.max_batches,
                                        config.evaluation.batch_size, experiment.validation.size());
    for (std::int64_t i = 0; i < count; ++i) {
      const QuestionItem& item = experiment.validation[static_cast<std::size_t>(i)];
      rows_.push_back({&item.row, item.features});
    }
    base_ = ask(Voice::base, {}, "asking the base");
  }

  // clips: which clip of `vectors` each question hears; empty: no sound.
  std::vector<Prediction> predictions(std::string_view condition, const Hearing& hearing,
                                      const std::vector<std::string>& distractors) {
    const std::vector<Spoken> said = ask(Voice::safe, hearing, "asking, " + std::string(condition));
    std::vector<Prediction> predictions;
    for (std::size_t i = 0; i < said.size(); ++i) {
      const QuestionSample& sample = experiment_.validation[i].sample;
      Prediction one;
      one.kind = PredictionKind::vl;
      one.condition = condition;
      one.id = std::to_string(sample.question_id);
      one.question = sample.question;
      one.answer_type = answer_type_of(sample.majority_answer);
      one.references = sample.answers;
      const manifest::Scorer scorer = scorer_of(one);
      one.prediction = answer_in(scorer, said[i].text);
      one.score = score_answer(scorer, one.prediction, sample.answers);
      one.base_prediction = answer_in(scorer, base_[i].text);
      one.base_score = score_answer(scorer, *one.base_prediction, sample.answers);
      if (!distractors.empty()) one.distractor = distractors[i];
      one.kl_to_base = said[i].kl;
      one.nll = said[i].nll;
      one.base_nll = base_[i].nll;
      same_bits_ = same_bits_ && (hearing.clips.defined() || said[i].same_bits);
      predictions.push_back(std::move(one));
    }
    return predictions;
  }

  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(rows_.size()); }
  [[nodiscard]] bool same_bits_without_audio() const { return same_bits_; }

 private:
  std::vector<Spoken> ask(Voice voice, const Hearing& hearing, const std::string& what) const {
    return speak(model_, experiment_.tokenizer, rows_, voice, hearing,
                 options_for(config_, config_.evaluation.answer_tokens, what), compute_);
  }

  const RunConfig& config_;
  const Experiment& experiment_;
  const SafeModel& model_;
  const Compute& compute_;
  std::vector<SpokenRow> rows_;
  std::vector<Spoken> base_;
  bool same_bits_ = true;
};

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

std::vector<Prediction> caption_group(const RunConfig& config, const Experiment& experiment,
                                      const SafeModel& model, const Compute& compute, const ClipGroup& group,
                                      std::int64_t count, std::string_view name, const std::string& split) {
  std::vector<Prediction> predictions;
  if (count == 0) return predictions;
  std::vector<SpokenRow> rows;
  for (std::int64_t i = 0; i < count; ++i)
    rows.push_back({&group.items[static_cast<std::size_t>(i)].row, {}});
  const manifest::Scorer scorer = group.items.front().sample.scorer;
  const std::int64_t token_limit = scorer == manifest::Scorer::captions ? config.evaluation.caption_tokens
                                                                        : config.evaluation.answer_tokens;
  const auto caption = [&](Voice voice, const torch::Tensor& clips, const std::string& what) {
    const Hearing hearing{clips.defined() ? clips.slice(0, 0, count) : clips, 1.0};
    return speak(model, experiment.tokenizer, rows, voice, hearing, options_for(config, token_limit, what),
                 compute);
  };
  const std::string label(name);
  const std::vector<Spoken> safe = caption(Voice::safe, group.vectors, "captioning, " + label);
  const std::vector<Spoken> base = caption(Voice::base, {}, "captioning, base alone");
  std::vector<Spoken> shuffled;
  if (count > 1)
    shuffled = caption(Voice::safe, shuffled_vectors(group, config.seed), "captioning, shuffled clips");
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
    one.prediction = answer_in(scorer, safe[at].text);
    one.score = score_answer(scorer, one.prediction, sample.captions);
    one.base_prediction = answer_in(scorer, base[at].text);
    one.base_score = score_answer(scorer, *one.base_prediction, sample.captions);
    if (!shuffled.empty()) {
      one.shuffled_prediction = answer_in(scorer, shuffled[at].text);
      one.shuffled_score = score_answer(scorer, *one.shuffled_prediction, sample.captions);
    }
    one.kl_to_base = safe[at].kl;
    one.nll = safe[at].nll;
    one.base_nll = base[at].nll;
    predictions.push_back(std::move(one));
  }
  return predictions;
}

}  // namespace

Evaluation evaluate(const RunConfig& config, const Experiment& experiment, const SafeModel& model,
                    const Compute& compute) {
  Evaluation result;
  const EvaluationConfig& options = config.evaluation;
  if (!experiment.validation.empty()) {
    QuestionAsker asker(config, experiment, model, compute);
    append(result.predictions, asker.predictions(condition::k_no_audio, {}, {}));
    result.bit_equal_without_audio = asker.same_bits_without_audio();
    if (options.audio_gate == AudioGate::on) {
      const torch::Tensor silence = model.silence().unsqueeze(0).expand({asker.count(), -1}).contiguous();
      append(result.predictions, asker.predictions(condition::k_silence, {silence, 1.0}, {}));
      Distractors own;
      if (!experiment.train.items.empty()) {
        own = distractors_from(experiment.train, config.seed, asker.count());
        append(result.predictions,
               asker.predictions(condition::k_distractor_memorised, {own.clips, 1.0}, own.names));
      }
      if (!experiment.held_out.items.empty()) {
        const Distractors held_out = distractors_from(experiment.held_out, config.seed, asker.count());
        append(result.predictions,
               asker.predictions(condition::k_distractor_held_out, {held_out.clips, 1.0}, held_out.names));
      }
      if (options.gate_comparison == GateComparison::sweep && !own.names.empty()) {
        const std::vector<std::pair<std::string_view, double>> gates = {{condition::k_gate_0, 0.0},
                                                                        {condition::k_gate_025, 0.25},
                                                                        {condition::k_gate_05, 0.5},
                                                                        {condition::k_gate_1, 1.0}};
        for (const auto& [name, gate] : gates)
          append(result.predictions, asker.predictions(name, {own.clips, gate}, own.names));
      }
    }
  }
  const auto group = [&](const ClipGroup& clips, std::string_view name) {
    append(result.predictions, caption_group(config, experiment, model, compute, clips,
                                             limit_of(options.max_audio_batches, options.max_batches,
                                                      options.batch_size, clips.items.size()),
                                             name, "validation"));
  };
  group(experiment.memorised, condition::k_memorised);
  group(experiment.held_out, condition::k_held_out);
  return result;
}

std::vector<Prediction> evaluate_training(const RunConfig& config, const Experiment& experiment,
                                          const SafeModel& model, const Compute& compute) {
  const std::int64_t count = std::min(config.evaluation.train_batches * config.train_batch_size,
                                      static_cast<std::int64_t>(experiment.train.items.size()));
  return caption_group(config, experiment, model, compute, experiment.train, std::max<std::int64_t>(count, 0),
                       condition::k_memorised, "training");
}

}  // namespace trainer
