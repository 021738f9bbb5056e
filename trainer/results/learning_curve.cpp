#include "trainer/results/learning_curve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/error.hpp"
#include "trainer/results/config_keys.hpp"
#include "trainer/results/json_fields.hpp"
#include "trainer/results/json_lines.hpp"
#include "trainer/results/score.hpp"

namespace trainer {
namespace {

using common::Json;

bool is_seen(const Prediction& item) {
  return item.split == "validation" &&
         (item.condition == condition::k_distractor_memorised || item.condition == condition::k_memorised);
}

Json to_json(const std::vector<CurveLook::Answer>& answers, bool with_kl) {
  Json list = Json::array();
  for (const CurveLook::Answer& answer : answers) {
    FieldWriter writer;
    writer("id", answer.id);
    writer("prediction", answer.prediction);
    if (with_kl) writer("kl_to_base", answer.kl_to_base);
    list.push_back(std::move(writer.object));
  }
  return list;
}

std::vector<CurveLook::Answer> answers_in(const Json& look, const char* key, bool with_kl,
                                          const std::string& where) {
  std::vector<CurveLook::Answer> answers;
  for (const Json& value : common::array_member(look, key, where)) {
    FieldReader reader(value, where);
    CurveLook::Answer& answer = answers.emplace_back();
    reader("id", answer.id);
    reader("prediction", answer.prediction);
    if (with_kl) reader("kl_to_base", answer.kl_to_base);
  }
  return answers;
}

// The ids that a look has to have.
std::vector<std::string> first_ids(const std::vector<Prediction>& predictions, std::string_view condition,
                                   std::int64_t items) {
  std::vector<std::string> ids;
  for (const Prediction& item : predictions)
    if (is_seen(item) && item.condition == condition && static_cast<std::int64_t>(ids.size()) < items)
      ids.push_back(item.id);
  return ids;
}

}  // namespace

common::Json to_json(const CurveConfig& curve) { return {{"every", curve.every}, {"items", curve.items}}; }

CurveConfig curve_in(const common::Json& config) {
  CurveConfig curve;
  const auto found = config.find(k_learning_curve);
  if (found == config.end()) return curve;
  const std::string where = fmt::format("{}: {}", k_config_name, k_learning_curve);
  curve.every = common::integer_member(*found, "every", where);
  curve.items = common::integer_member(*found, "items", where);
  if (curve.every < 1 || curve.items < 1)
    throw common::Error(common::ErrorKind::format, where + " has no steps or no items; get the run again");
  return curve;
}

bool is_look(const CurveConfig& curve, std::int64_t step, std::int64_t total) {
  return curve.is_on() && step > 0 && step < total && step % curve.every == 0;
}

common::Json to_json(const CurveLook& look) {
  return {{"step", look.step},
          {"questions", to_json(look.questions, true)},
          {"clips", to_json(look.clips, false)}};
}

std::vector<CurveLook> parse_curve(std::string_view text) {
  std::vector<CurveLook> looks;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string where = fmt::format("{}: line {}", k_curve_file, looks.size() + 1);
    const Json line = common::parse_json(text.substr(begin, end - begin), where);
    looks.push_back({common::integer_member(line, "step", where), answers_in(line, "questions", true, where),
                     answers_in(line, "clips", false, where)});
    begin = end + 1;
  }
  return looks;
}

std::vector<CurveLook> read_curve(const common::Folder& run) {
  if (!run.has_file(k_curve_file)) return {};
  return parse_curve(run.read_text(k_curve_file, k_lines_limit_bytes));
}

void cut_curve(const common::Folder& run, std::int64_t step) {
  (void)JsonLines(run, k_curve_file);  // the last line of a killed process may be half a line
  std::string kept;
  for (const CurveLook& look : read_curve(run))
    if (look.step <= step) kept += common::dump_line(to_json(look)) + "\n";
  run.write(k_curve_file, kept);
}

std::vector<Prediction> predictions_at(const CurveLook& look, const std::vector<Prediction>& predictions) {
  std::map<std::pair<PredictionKind, std::string>, const Prediction*> items;
  for (const Prediction& item : predictions)
    if (is_seen(item)) items[{item.kind, item.id}] = &item;
  std::vector<Prediction> seen;
  const auto add = [&](PredictionKind kind, const CurveLook::Answer& answer) {
    const auto item = items.find({kind, answer.id});
    if (item == items.end())
      throw common::Error(common::ErrorKind::format,
                          fmt::format("{}: step {} has an answer to {}, which predictions.jsonl has not; get "
                                      "the run again",
                                      k_curve_file, look.step, answer.id));
    Prediction& one = seen.emplace_back(*item->second);
    one.prediction = answer.prediction;
    one.score = score_answer(scorer_of(one), one.prediction, one.references);
    one.kl_to_base = answer.kl_to_base;
    // Not looked at.
    one.shuffled_prediction.reset();
    one.shuffled_score.reset();
    one.nll.reset();
  };
  for (const CurveLook::Answer& answer : look.questions) add(PredictionKind::vl, answer);
  for (const CurveLook::Answer& answer : look.clips) add(PredictionKind::audio, answer);
  return seen;
}

void check_curve(const std::vector<CurveLook>& looks, const common::Json& config, std::int64_t steps,
                 const std::vector<Prediction>& predictions, common::Findings& findings) {
  const auto find = [&](const std::string& what) { findings.push_back({k_curve_file, "R10", what}); };
  const CurveConfig curve = curve_in(config);
  std::vector<std::int64_t> due, found;
  for (std::int64_t step = 1; step < steps; ++step)
    if (is_look(curve, step, steps)) due.push_back(step);
  for (const CurveLook& look : looks) found.push_back(look.step);
  if (found != due) {
    find(fmt::format(
        "is of {} steps; config.json and history.jsonl ask for {}, each multiple of {} before the last step",
        found.size(), due.size(), curve.every));
    return;
  }
  const std::vector<std::string> questions =
                                     first_ids(predictions, condition::k_distractor_memorised, curve.items),
                                 clips = first_ids(predictions, condition::k_memorised, curve.items);
  constexpr double k_rounding = 1e-6;
  for (const CurveLook& look : looks) {
    const auto check_ids = [&](const std::vector<CurveLook::Answer>& answers,
                               const std::vector<std::string>& expected, std::string_view condition) {
      std::vector<std::string> ids;
      for (const CurveLook::Answer& answer : answers) ids.push_back(answer.id);
      if (ids != expected)
        find(
            fmt::format("step {} has other ids, or another order of them, than the first {} of {} in "
                        "predictions.jsonl",
                        look.step, curve.items, condition));
    };
    check_ids(look.questions, questions, condition::k_distractor_memorised);
    check_ids(look.clips, clips, condition::k_memorised);
    std::size_t with_kl = 0;
    for (const CurveLook::Answer& answer : look.questions) {
      if (answer.kl_to_base) ++with_kl;
      if (answer.kl_to_base && *answer.kl_to_base < -k_rounding)
        find(fmt::format("step {}: kl_to_base of {} is below 0", look.step, answer.id));
    }
    if (with_kl != 0 && with_kl != look.questions.size())
      find(fmt::format("step {}: {} of {} questions have kl_to_base; all have it or none", look.step, with_kl,
                       look.questions.size()));
  }
}

}  // namespace trainer
