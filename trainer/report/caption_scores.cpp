#include "trainer/report/caption_scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "trainer/results/prediction.hpp"

namespace trainer {
namespace {

using common::Error;
using common::ErrorKind;
using common::Json;

constexpr std::size_t k_score_limit = 100;

bool is_clips_name(std::string_view name) {
  return std::find(k_audio_groups.begin(), k_audio_groups.end(), name) != k_audio_groups.end();
}

CaptionScores parse_one(const Json& value, const std::string& where) {
  CaptionScores one{
      common::string_member(value, "run", where), common::string_member(value, "clips", where), {}};
  if (!common::parse_digest(one.run_digest))
    throw Error(ErrorKind::format, where +
                                       ": \"run\" is no SHA-256; take it over from the file that "
                                       "safe-report captions wrote");
  if (!is_clips_name(one.clips))
    throw Error(ErrorKind::format, where +
                                       ": \"clips\" is neither \"memorised\" nor \"held_out\"; take it over "
                                       "from the file that safe-report captions wrote");
  const Json& scores = common::member(value, "scores", where);
  if (!scores.is_object() || scores.empty() || scores.size() > k_score_limit)
    throw Error(ErrorKind::format,
                fmt::format("{}: \"scores\" is no object of 1 to {} numbers by name", where, k_score_limit));
  for (const auto& [name, score] : scores.items()) {
    if (!score.is_number())
      throw Error(ErrorKind::format, where + ": the score \"" + name + "\" is no number; leave it out");
    one.scores[name] = score.get<double>();
  }
  return one;
}

}  // namespace

Json export_captions(const RunSummary& run, const std::string& clips) {
  Json ids = Json::array(), candidates = Json::array(), references = Json::array();
  for (const Prediction& item : read_predictions(run.path / "predictions.jsonl")) {
    if (item.kind != PredictionKind::audio || item.split != "validation" || item.condition != clips) continue;
    if (scorer_of(item) != manifest::Scorer::captions)
      throw Error(ErrorKind::usage, fmt::format("the {} clips of {} are scored by {}, not as captions", clips,
                                                run.name, manifest::name_of(scorer_of(item))));
    ids.push_back(item.id);
    candidates.push_back(item.prediction);
    references.push_back(item.references);
  }
  if (ids.empty())
    throw Error(ErrorKind::usage,
                fmt::format("{} has no {} clips; choose others with --clips", run.name, clips));
  return {{"run", run.sums_digest.hex()},
          {"clips", clips},
          {"ids", std::move(ids)},
          {"candidates", std::move(candidates)},
          {"mult_references", std::move(references)}};
}

std::vector<CaptionScores> parse_caption_scores(const Json& value, const std::string& where) {
  std::vector<CaptionScores> all;
  if (!value.is_array()) return {parse_one(value, where)};
  for (std::size_t i = 0; i < value.size(); ++i)
    all.push_back(parse_one(value[i], fmt::format("{}: entry {}", where, i)));
  return all;
}

Json to_json(const std::vector<CaptionScores>& scores) {
  Json list = Json::array();
  for (const CaptionScores& one : scores)
    list.push_back({{"run", one.run_digest}, {"clips", one.clips}, {"scores", one.scores}});
  return list;
}

}  // namespace trainer
