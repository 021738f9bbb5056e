#include "trainer/results/prediction_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/json.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/results/score.hpp"
#include "trainer/results/vqa_accuracy.hpp"
#include "trainer/samples/streams.hpp"

namespace trainer {
namespace {

constexpr const char* k_predictions_file = "predictions.jsonl";
constexpr std::size_t k_shown_bytes = 60;

using Maybes = std::optional<std::string>;

std::string shown(const std::string& text) {
  return fmt::format("\"{}{}\"", text.substr(0, k_shown_bytes), text.size() > k_shown_bytes ? "..." : "");
}
std::string shown(const std::optional<std::string>& text) {
  if (!text) return "null";
  return shown(*text);
}
std::string shown(double value) { return common::dump_line(value); }
std::string shown(const std::optional<double>& value) {
  if (!value) return "null";
  return shown(*value);
}
std::string shown(const std::vector<std::string>& texts) { return common::dump_line(texts); }

// Where an item stands, as a line of the file.
class Line {
 public:
  Line(std::size_t number, const Prediction& item, common::Findings& findings)
      : where_("line " + std::to_string(number) + " (" + item_key(item) + "): "), findings_(findings) {}
  void find(const char* rule, const std::string& what) const {
    findings_.push_back({k_predictions_file, rule, where_ + what});
  }
  template <typename T>
  void require(const char* rule, const char* field, const T& found, const T& expected,
               const std::string& why) const {
    if (found != expected) find(rule, field + (" is " + shown(found)) + "; " + shown(expected) + " " + why);
  }

 private:
  std::string where_;
  common::Findings& findings_;
};

double score_of(const Prediction& item, const std::string& said) {
  return score_answer(scorer_of(item), said, item.references);
}

std::optional<double> score_of(const Prediction& item, const std::optional<std::string>& said) {
  return said ? std::optional(score_of(item, *said)) : std::nullopt;
}

void check_scores(const Prediction& item, const Line& line) {
  const std::string follows = "follows from the answer and the references";
  line.require("R3", "score", item.score, score_of(item, item.prediction), follows);
  line.require("R3", "base_score", item.base_score, score_of(item, item.base_prediction), follows);
  line.require("R3", "shuffled_score", item.shuffled_score, score_of(item, item.shuffled_prediction),
               follows);
}

void check_shape(const Prediction& item, const Line& line) {
  if (item.split != "validation" && item.split != "training")
    line.find("R3", "split is " + shown(item.split) + "; only validation and training exist");
  const bool is_vl = item.kind == PredictionKind::vl;
  const bool known =
      is_vl ? is_vl_condition(item.condition)
            : std::find(k_audio_groups.begin(), k_audio_groups.end(), item.condition) != k_audio_groups.end();
  if (!known)
    line.find("R3", "condition is " + shown(item.condition) + ", which is none of " +
                        (is_vl ? "questions" : "clips"));
  if (item.references.empty()) line.find("R3", "references is empty; every item has one or more");
  if (!is_vl) {
    line.require("R3", "question", item.question, std::string(), "is what a clip has");
    line.require("R3", "answer_type", item.answer_type, std::string(), "is what a clip has");
    line.require("R3", "distractor", item.distractor, Maybes(), "is what a clip has");
    return;
  }
  line.require("R3", "shuffled_prediction", item.shuffled_prediction, Maybes(), "is what a question has");
  // The most common answer decides; which of several that is, only the pack says.
  const bool follows =
      std::any_of(item.references.begin(), item.references.end(),
                  [&](const std::string& answer) { return answer_type_of(answer) == item.answer_type; });
  if (!follows)
    line.find("R3", "answer_type is " + shown(item.answer_type) + ", and none of the references is of it");
}

void check_numbers(const Prediction& item, const Line& line) {
  constexpr double k_rounding = 1e-6;  // a divergence of equal distributions may come out below zero
  for (const auto& [field, value] : {std::pair("kl_to_base", item.kl_to_base), std::pair("nll", item.nll),
                                     std::pair("base_nll", item.base_nll)})
    if (value && *value < -k_rounding)
      line.find("R3", std::string(field) + " is " + shown(value) + "; it is never below 0");
}

// Of an item under the conditions that it was seen in before.
void check_same(const Prediction& item, const Prediction& first, const Line& line) {
  const std::string why = "under " + first.condition;
  line.require("R4", "question", item.question, first.question, why);
  line.require("R4", "answer_type", item.answer_type, first.answer_type, why);
  line.require("R4", "references", item.references, first.references, why);
}

// Of one that was asked in the same way.
void check_same_base(const Prediction& item, const Prediction& first, const Line& line) {
  const std::string why = "under " + first.condition;
  line.require("R4", "base_prediction", item.base_prediction, first.base_prediction, why);
  line.require("R4", "base_nll", item.base_nll, first.base_nll, why);
}

void check_without_audio(const Prediction& item, const PredictionContext& context, const Line& line) {
  if (parts_of(item.condition).condition != condition::k_no_audio || context.equal_without_audio != true)
    return;
  const std::string why = "is what the base says, and metrics.json says that both are equal without audio";
  line.require("R4", "prediction", Maybes(item.prediction), item.base_prediction, why);
  line.require("R4", "nll", item.nll, item.base_nll, why);
}

using Numbered = std::vector<std::pair<std::size_t, const Prediction*>>;  // line, item
using Groups = std::map<std::string, Numbered>;                           // "vl/validation/silence" -> items

std::vector<std::string> ids_of(const Numbered& group) {
  std::vector<std::string> ids;
  for (const auto& [line, item] : group) ids.push_back(item->id);
  return ids;
}

// "silence" of "vl/validation/silence".
std::string_view condition_in(std::string_view group) { return group.substr(group.rfind('/') + 1); }

// What is measured of one item of a group is measured of all.
void check_whole(const Groups& groups, common::Findings& findings) {
  for (const auto& named : groups) {  // clang++ 14 takes no structured binding into a lambda
    const std::string& name = named.first;
    const Numbered& group = named.second;
    const auto require = [&](const char* field, auto has) {
      const auto with =
          std::count_if(group.begin(), group.end(), [&](const auto& one) { return has(*one.second); });
      if (with != 0 && with != static_cast<std::ptrdiff_t>(group.size()))
        findings.push_back({k_predictions_file, "R4",
                            fmt::format("{} of {} items of {} have {}; all have it or none", with,
                                        group.size(), name, field)});
    };
    require("kl_to_base", [](const Prediction& item) { return item.kl_to_base.has_value(); });
    require("nll", [](const Prediction& item) { return item.nll.has_value(); });
    require("base_nll", [](const Prediction& item) { return item.base_nll.has_value(); });
    require("base_prediction", [](const Prediction& item) { return item.base_prediction.has_value(); });
    require("shuffled_prediction",
            [](const Prediction& item) { return item.shuffled_prediction.has_value(); });
    require("scorer", [](const Prediction& item) { return item.scorer.has_value(); });
  }
}

// The sets ask the questions of val_manifest.json, in whatever way, but for this one.
std::string_view questions_of(std::string_view condition) {
  const std::string_view set = parts_of(condition).set;
  return set == question_set::k_unlike ? set : std::string_view();
}

// Every condition asks the same questions in the same order.
void check_same_questions(const Groups& groups, common::Findings& findings) {
  std::map<std::string_view, const Groups::value_type*> firsts;  // by the questions
  for (const auto& group : groups) {
    if (!group.first.starts_with("vl/")) continue;
    const auto [first, is_new] = firsts.emplace(questions_of(condition_in(group.first)), &group);
    if (!is_new && ids_of(group.second) != ids_of(first->second->second))
      findings.push_back(
          {k_predictions_file, "R4",
           group.first + " has other ids, or another order of them, than " + first->second->first});
  }
}

// What config.json says was asked is there, and nothing else.
void check_asked(const Groups& groups, const PredictionContext& context, common::Findings& findings) {
  const auto has = [&](const std::string& condition) {
    return groups.contains("vl/validation/" + condition);
  };
  const auto require = [&](const std::string& condition, bool wanted) {
    if (has(condition) != wanted)
      findings.push_back(
          {k_predictions_file, "R4",
           fmt::format("config.json says that questions were {}asked under {}, and there are {}",
                       wanted ? "" : "not ", condition, wanted ? "none" : "some")});
  };
  for (const std::string_view set : k_question_sets) {
    const bool may_lack = set == question_set::k_unlike;  // where the pack has none
    const bool lacks =
        may_lack && std::none_of(k_beyond_conditions.begin(), k_beyond_conditions.end(),
                                 [&](std::string_view one) { return has(beyond_condition(set, one)); });
    for (const std::string_view one : k_beyond_conditions)
      require(beyond_condition(set, one), context.beyond_stream && !lacks && has(std::string(one)));
  }
  if (!context.every_gate) return;
  for (const std::string_view gate :
       {condition::k_gate_0, condition::k_gate_025, condition::k_gate_05, condition::k_gate_1})
    require(std::string(gate), *context.every_gate && has(std::string(condition::k_distractor_memorised)));
}

void check_distractors(const Numbered& group, const std::vector<std::string>& clips,
                       const PredictionContext& context, common::Findings& findings) {
  const std::vector<std::int64_t> chosen = evaluation_distractors(
      context.seed, static_cast<std::int64_t>(group.size()), static_cast<std::int64_t>(clips.size()));
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& [number, item] = group[i];
    Line(number, *item, findings)
        .require("R4", "distractor", item->distractor, Maybes(clips[static_cast<std::size_t>(chosen[i])]),
                 "follows from the seed and the clips");
  }
}

// Which clip a question hears follows from the seed, where the run names every clip to choose from.
void check_hearing(const Groups& groups, const PredictionContext& context, common::Findings& findings) {
  const auto clips_of = [&](std::string_view name) {
    const auto found = groups.find("audio/validation/" + std::string(name));
    return found == groups.end() ? std::vector<std::string>() : ids_of(found->second);
  };
  const std::vector<std::string> memorised = clips_of(condition::k_memorised),
                                 held_out = clips_of(condition::k_held_out);
  for (const auto& [name, group] : groups) {
    if (!name.starts_with("vl/")) continue;
    const std::string_view condition = parts_of(condition_in(name)).condition;
    if (condition == condition::k_no_audio || condition == condition::k_silence) {
      for (const auto& [number, item] : group)
        Line(number, *item, findings)
            .require("R4", "distractor", item->distractor, Maybes(), "is what this condition hears");
    } else if (condition == condition::k_distractor_held_out) {
      if (!context.clips_limited && !held_out.empty()) check_distractors(group, held_out, context, findings);
    } else if (!memorised.empty() && static_cast<std::int64_t>(memorised.size()) == context.trained_clips) {
      check_distractors(group, memorised, context, findings);
    }
  }
}

std::string group_of(const Prediction& item) {
  const std::string key = item_key(item);
  return key.substr(0, key.size() - item.id.size() - 1);
}

}  // namespace

void check_predictions(const std::vector<Prediction>& items, const PredictionContext& context,
                       common::Findings& findings) {
  std::map<std::string, const Prediction*> seen, seen_so;  // by kind, questions and id; by the set too
  Groups groups;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Prediction& item = items[i];
    const Line line(i + 1, item, findings);
    check_shape(item, line);
    check_scores(item, line);
    check_numbers(item, line);
    check_without_audio(item, context, line);
    const bool is_vl = item.kind == PredictionKind::vl;
    const std::string kind =
        is_vl ? fmt::format("vl/{}/", questions_of(item.condition)) : "audio/" + item.split + "/";
    const auto [first, is_new] = seen.emplace(kind + item.id, &item);
    if (!is_new && is_vl) check_same(item, *first->second, line);
    if (is_vl) {
      const auto [so, is_first] =
          seen_so.emplace(fmt::format("{}/{}", parts_of(item.condition).set, item.id), &item);
      if (!is_first) check_same_base(item, *so->second, line);
    }
    groups[group_of(item)].emplace_back(i + 1, &item);
  }
  check_whole(groups, findings);
  check_same_questions(groups, findings);
  check_asked(groups, context, findings);
  check_hearing(groups, context, findings);
}

}  // namespace trainer
