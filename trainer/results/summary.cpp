#include "trainer/results/summary.hpp"

#include <algorithm>

#include "trainer/results/caption_metrics.hpp"

namespace trainer {
namespace {

using Items = std::vector<const Prediction*>;

// The mean over all items, or nothing where one of them has no value: a mean over some would be of other
// items.
template <typename Value>
Maybe mean_over(const Items& items, Value value) {
  if (items.empty()) return std::nullopt;
  double sum = 0;
  for (const Prediction* item : items) {
    const Maybe one = value(*item);
    if (!one) return std::nullopt;
    sum += *one;
  }
  return sum / static_cast<double>(items.size());
}

bool is_right(double score) { return score >= k_right_from; }

std::map<std::string, Maybe> accuracy_by_type(const Items& items) {
  std::map<std::string, Items> groups;
  for (const Prediction* item : items) groups[item->answer_type].push_back(item);
  std::map<std::string, Maybe> accuracy;
  for (const auto& [type, group] : groups)
    accuracy[type] = mean_over(group, [](const Prediction& item) { return Maybe(item.score); });
  return accuracy;
}

void fill_audio_keys(SplitMetrics& split) {
  auto found = split.audio.find(std::string(condition::k_memorised));
  if (found == split.audio.end()) found = split.audio.find(std::string(condition::k_held_out));
  if (found == split.audio.end()) return;
  const AudioMetrics& audio = found->second;
  split.audio_accuracy = audio.accuracy ? audio.accuracy : audio.token_f1;
  split.audio_token_f1 = audio.token_f1;
  split.audio_exact_match = audio.exact_match;
  split.audio_gain = audio.gain_over_base;
  split.audio_bleu = audio.bleu;
  split.audio_rouge_l = audio.rouge_l;
  if (audio.cider_d) split.audio_cider = 100 * *audio.cider_d;
  split.audio_samples = audio.samples;
  split.audio_caption_samples = audio.accuracy ? 0 : audio.samples;
}

void fill_question_keys(SplitMetrics& split) {
  const auto found = split.conditions.find(std::string(condition::k_distractor_memorised));
  if (found == split.conditions.end()) return;
  const ConditionMetrics& questions = found->second;
  split.vl_samples = questions.questions;
  split.vl_safe_accuracy = questions.accuracy;
  split.vl_base_accuracy = questions.base_accuracy;
  if (questions.accuracy && questions.base_accuracy && *questions.base_accuracy > 0)
    split.retention_score = *questions.accuracy / *questions.base_accuracy;
}

ConditionMetrics summarise_questions(const Items& items) {
  ConditionMetrics result;
  result.questions = static_cast<std::int64_t>(items.size());
  result.accuracy = mean_over(items, [](const Prediction& item) { return Maybe(item.score); });
  result.base_accuracy = mean_over(items, [](const Prediction& item) { return item.base_score; });
  result.by_answer_type = accuracy_by_type(items);
  result.agreement = mean_over(items, [](const Prediction& item) {
    return item.base_prediction ? Maybe(item.prediction == *item.base_prediction ? 1 : 0) : std::nullopt;
  });
  result.kl_to_base = mean_over(items, [](const Prediction& item) { return item.kl_to_base; });
  result.delta_nll =
      mean_over(items, [](const Prediction& item) { return difference(item.nll, item.base_nll); });
  for (const Prediction* item : items) {
    if (!item->base_score) continue;
    const bool right = is_right(item->score), base_right = is_right(*item->base_score);
    result.positive_flips += right && !base_right ? 1 : 0;
    result.negative_flips += !right && base_right ? 1 : 0;
  }
  return result;
}

void fill_captions(const Items& items, AudioMetrics& result) {
  std::vector<CaptionPair> pairs;
  for (const Prediction* item : items)  // one without is a finding (R3), and no score follows from it
    if (!item->references.empty()) pairs.push_back({item->prediction, item->references});
  const CaptionMetrics captions = measure_captions(pairs);
  result.token_f1 = captions.token_f1;
  result.exact_match = captions.exact_match;
  result.bleu = captions.bleu;
  result.rouge_l = captions.rouge_l;
  result.cider_d = captions.cider_d;
}

// A group is of one scorer; another in it is a finding (R4).
AudioMetrics summarise_clips(const Items& items) {
  AudioMetrics result;
  result.samples = static_cast<std::int64_t>(items.size());
  result.answer_nll = mean_over(items, [](const Prediction& item) { return item.nll; });
  const Maybe base = mean_over(items, [](const Prediction&item) { return item.base_score; }),
              shuffled = mean_over(items, [](const Prediction&item) { return item.shuffled_score; });
  Maybe score;
  if (scorer_of(*items.front()) == manifest::Scorer::captions) {
    fill_captions(items, result);
    score = result.token_f1;
    result.base_token_f1 = base;
    result.shuffled_token_f1 = shuffled;
  } else {
    score = result.accuracy = mean_over(items, [](const Prediction& item) { return Maybe(item.score); });
    result.base_accuracy = base;
    result.shuffled_accuracy = shuffled;
  }
  result.gain_over_base = difference(score, base);
  result.gain_over_shuffled = difference(score, shuffled);
  return result;
}

}  // namespace

SplitMetrics summarise(const std::vector<Prediction>& items, std::string_view split) {
  std::map<std::string, Items> questions, clips;
  for (const Prediction& item : items) {
    if (item.split != split) continue;
    (item.kind == PredictionKind::vl ? questions : clips)[item.condition].push_back(&item);
  }
  SplitMetrics result;
  for (const auto& [name, group] : questions) result.conditions[name] = summarise_questions(group);
  for (const auto& [name, group] : clips) result.audio[name] = summarise_clips(group);
  fill_audio_keys(result);
  fill_question_keys(result);
  return result;
}

namespace {

void fill_split(SplitMetrics& split, double kl_weight, Maybe fisher_penalty, Maybe other_penalties) {
  if (const auto group = split.audio.find(std::string(condition::k_memorised)); group != split.audio.end())
    split.audio_task_loss = group->second.answer_nll;
  const auto distracted = split.conditions.find(std::string(condition::k_distractor_memorised));
  if (kl_weight > 0 && distracted != split.conditions.end())
    split.distillation_loss = distracted->second.kl_to_base;
  split.fisher_loss = fisher_penalty;
  if (split.distillation_loss || split.fisher_loss || other_penalties)
    split.retention_loss = kl_weight * split.distillation_loss.value_or(0) + split.fisher_loss.value_or(0) +
                           other_penalties.value_or(0);
  if (split.audio_task_loss) split.total_loss = *split.audio_task_loss + split.retention_loss.value_or(0);
}

}  // namespace

void fill_losses(Metrics& metrics, double kl_weight) {
  Maybe others;
  for (const auto& [name, mechanism] : metrics.mechanisms)
    if (const auto penalty = mechanism.measured.find("penalty");
        penalty != mechanism.measured.end() && penalty->second)
      others = others.value_or(0) + *penalty->second;
  const Maybe fisher = metrics.validation.fisher_loss;
  fill_split(metrics.validation, kl_weight, fisher, others);
  if (metrics.training) fill_split(*metrics.training, kl_weight, fisher, others);
}

void count_activity(std::map<std::string, MechanismActivity>& activity, const common::Json& record) {
  constexpr std::string_view norm = "_gradient_norm", removed = "_removed";
  for (const auto& [key, value] : record.items()) {
    std::string name;
    if (key.ends_with(norm))
      name = key.substr(0, key.size() - norm.size());
    else if (key.ends_with(removed))
      name = key.substr(0, key.size() - removed.size());
    // The task's own gradient is no mechanism's.
    if (name.empty() || name == "audio" || !value.is_number()) continue;
    const double acted = value.get<double>();
    MechanismActivity& one = activity[name];
    ++one.enabled_steps;
    if (acted > 0) ++one.acted_steps;
    one.largest = std::max(one.largest.value_or(0), acted);
  }
}

}  // namespace trainer
