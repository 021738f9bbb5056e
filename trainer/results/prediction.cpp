#include "trainer/results/prediction.hpp"

#include <set>

#include "common/error.hpp"
#include "common/sealed/folder.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "trainer/results/json_fields.hpp"

namespace trainer {
namespace {

constexpr const char* k_scorer = "scorer";

template <typename Fields, typename Item>
void visit(Fields& fields, Item& item) {
  fields("split", item.split);
  fields("condition", item.condition);
  fields("id", item.id);
  fields("question", item.question);
  fields("answer_type", item.answer_type);
  fields("references", item.references);
  fields("prediction", item.prediction);
  fields("score", item.score);
  fields("base_prediction", item.base_prediction);
  fields("base_score", item.base_score);
  fields("shuffled_prediction", item.shuffled_prediction);
  fields("shuffled_score", item.shuffled_score);
  fields("distractor", item.distractor);
  fields("kl_to_base", item.kl_to_base);
  fields("nll", item.nll);
  fields("base_nll", item.base_nll);
}

// Scores compare answers word by word, in the square of their lengths.
constexpr std::size_t k_answer_limit_bytes = 16 << 10;

void check_length(const std::string& text, const std::string& where) {
  if (text.size() > k_answer_limit_bytes)
    throw common::Error(common::ErrorKind::format, where + " has an answer of more than " +
                                                       std::to_string(k_answer_limit_bytes) +
                                                       " bytes; check that it is a predictions.jsonl");
}

const char* name_of(PredictionKind kind) { return kind == PredictionKind::vl ? "vl" : "audio"; }

std::optional<manifest::Scorer> unusual_scorer(const common::Json& line, PredictionKind kind,
                                               const std::string& where) {
  if (!line.contains(k_scorer)) return std::nullopt;
  const std::string name = common::string_member(line, k_scorer, where);
  const auto scorer = manifest::find_scorer(name);
  if (!scorer)
    throw common::Error(
        common::ErrorKind::format,
        where + ": \"scorer\" is \"" + name + "\", which this program does not know; take a newer one");
  return *scorer == usual_scorer(kind) ? std::nullopt : scorer;
}

}  // namespace

manifest::Scorer usual_scorer(PredictionKind kind) {
  return kind == PredictionKind::vl ? manifest::question_set().scorer : manifest::original_sound_set().scorer;
}

manifest::Scorer scorer_of(const Prediction& prediction) {
  return prediction.scorer.value_or(usual_scorer(prediction.kind));
}

std::string item_key(const Prediction& prediction) {
  return std::string(name_of(prediction.kind)) + "/" + prediction.split + "/" + prediction.condition + "/" +
         prediction.id;
}

common::Json to_json(const Prediction& prediction) {
  FieldWriter writer;
  writer("kind", std::string(name_of(prediction.kind)));
  visit(writer, prediction);
  if (scorer_of(prediction) != usual_scorer(prediction.kind))
    writer(k_scorer, std::string(manifest::name_of(*prediction.scorer)));
  return std::move(writer.object);
}

Prediction prediction_from_json(const common::Json& value, const std::string& where) {
  Prediction prediction;
  FieldReader reader(value, where);
  const std::string kind = common::string_member(value, "kind", where);
  if (kind != "vl" && kind != "audio")
    throw common::Error(common::ErrorKind::format, where +
                                                       ": \"kind\" must be \"vl\" or \"audio\", found \"" +
                                                       kind + "\"; check that it is a predictions.jsonl");
  prediction.kind = kind == "vl" ? PredictionKind::vl : PredictionKind::audio;
  visit(reader, prediction);
  prediction.scorer = unusual_scorer(value, prediction.kind, where);
  check_length(prediction.prediction, where);
  for (const auto& text : {prediction.base_prediction, prediction.shuffled_prediction})
    if (text) check_length(*text, where);
  for (const std::string& reference : prediction.references) check_length(reference, where);
  return prediction;
}

std::vector<Prediction> parse_predictions(std::string_view text, const std::string& name) {
  std::vector<Prediction> predictions;
  std::set<std::string> keys;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::string where = name + ": line " + std::to_string(predictions.size() + 1);
    if (end == std::string::npos)
      throw common::Error(common::ErrorKind::format,
                          where + " has no end; the file was cut, run the evaluation again");
    const std::string_view line = text.substr(begin, end - begin);
    predictions.push_back(prediction_from_json(common::parse_json(line, where), where));
    if (!keys.insert(item_key(predictions.back())).second)
      throw common::Error(common::ErrorKind::format, where + ": " + item_key(predictions.back()) +
                                                         " is a duplicate; run the evaluation again");
    begin = end + 1;
  }
  return predictions;
}

std::vector<Prediction> read_predictions(const std::filesystem::path& path) {
  const common::Folder run = common::Folder::open(path.parent_path());
  return parse_predictions(run.read_text(path.filename().string(), k_predictions_limit_bytes), path.string());
}

}  // namespace trainer
