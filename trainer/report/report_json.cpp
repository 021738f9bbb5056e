#include "trainer/report/report_json.hpp"

#include "trainer/results/json_fields.hpp"

namespace trainer {
namespace {

using common::Json;

Json interval_json(const Interval& interval) {
  FieldWriter writer;
  writer("low", interval.low);
  writer("high", interval.high);
  return Json::array({writer.object["low"], writer.object["high"]});
}

Json estimate_json(const Estimate& estimate) {
  FieldWriter writer;
  writer("value", estimate.value);
  writer.object["interval"] = interval_json(estimate.interval);
  writer.object["seeds"] = estimate.seeds;
  writer("items", estimate.items);
  return std::move(writer.object);
}

Json estimate_json(const std::optional<Estimate>& estimate) {
  return estimate ? estimate_json(*estimate) : Json(nullptr);
}

// With a p of its own: as if nothing else were compared.
Json difference_json(const std::optional<Estimate>& estimate) {
  Json json = estimate_json(estimate);
  if (estimate) json["p"] = estimate->p;
  return json;
}

Json run_json(const RunSummary& run) {
  FieldWriter writer;
  writer("name", run.name);
  writer("sums_sha256", run.sums_digest.hex());
  writer("variant", run.variant);
  writer.object["seed"] = run.seed ? Json(*run.seed) : Json(nullptr);
  writer("pack_id", run.pack_id);
  writer("base_digest", run.base_digest);
  writer.object["metrics"] = to_json(run.metrics);
  return std::move(writer.object);
}

Json group_json(const Comparison& comparison, const VariantGroup& group) {
  FieldWriter writer;
  writer("label", group.label);
  writer("variant", group.variant);
  writer.object["seeds"] = seeds_of(comparison, group);
  std::vector<std::string> names;
  for (const std::size_t run : group.runs) names.push_back(comparison.runs[run].name);
  writer("runs", names);
  writer.object["retention"] = estimate_json(group.retention);
  Json& conditions = writer.object["estimates"] = Json::object();
  for (const auto& [condition, estimates] : group.estimates) {
    Json& measures = conditions[condition] = Json::object();
    for (const auto& [measure, estimate] : estimates) measures[measure] = estimate_json(estimate);
  }
  return std::move(writer.object);
}

Json pair_json(const PairedComparison& pair) {
  FieldWriter writer;
  writer("condition", pair.condition);
  writer("first", pair.first);
  writer("second", pair.second);
  writer.object["seeds"] = pair.seeds;
  writer("items", pair.items);
  writer.object["accuracy_difference"] = difference_json(pair.accuracy);
  writer.object["accuracy_difference_bootstrap"] =
      pair.accuracy_bootstrap ? interval_json(*pair.accuracy_bootstrap) : Json(nullptr);
  writer.object["agreement_difference"] = difference_json(pair.agreement);
  writer.object["negative_flips_difference"] = difference_json(pair.negative_flips);
  writer.object["kl_ratio"] = difference_json(pair.kl_ratio);
  writer("only_first_right", pair.only_first_right);
  writer("only_second_right", pair.only_second_right);
  writer("cohens_g", pair.cohens_g);
  writer.object["mcnemar_exact_p"] = pair.mcnemar_p;
  writer("p", pair.p);
  writer("holm_p", pair.holm_p);
  writer.object["is_primary"] = pair.is_primary;
  writer.object["base_knows"] = pair.base_knows;
  return std::move(writer.object);
}

Json clips_json(const ClipComparison& pair) {
  FieldWriter writer;
  writer("group", pair.group);
  writer("first", pair.first);
  writer("second", pair.second);
  writer.object["seeds"] = pair.seeds;
  writer.object["token_f1_difference"] = difference_json(pair.token_f1);
  return std::move(writer.object);
}

Json at_skill_json(const AtSkill& at) {
  FieldWriter writer;
  writer("label", at.label);
  writer("skill", at.skill);
  writer.object["steps"] = at.steps;
  writer.object["accuracy"] = estimate_json(at.accuracy);
  writer.object["kl_to_base"] = estimate_json(at.kl_to_base);
  writer("base_accuracy", at.base_accuracy);
  writer.object["end_accuracy"] = estimate_json(at.end_accuracy);
  return std::move(writer.object);
}

Json skill_pair_json(const SkillComparison& pair) {
  FieldWriter writer;
  writer("first", pair.first);
  writer("second", pair.second);
  writer("skill", pair.skill);
  writer.object["seeds"] = pair.seeds;
  writer.object["first_steps"] = pair.first_steps;
  writer.object["second_steps"] = pair.second_steps;
  writer.object["accuracy_difference"] = estimate_json(pair.accuracy);
  writer.object["kl_ratio"] = estimate_json(pair.kl_ratio);
  writer.object["end_accuracy_difference"] = estimate_json(pair.end_accuracy);
  return std::move(writer.object);
}

template <typename Items, typename Write>
Json list_json(const Items& items, Write write) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(write(item));
  return list;
}

}  // namespace

Json to_json(const Comparison& comparison) {
  Json report = Json::object();
  report["runs"] = list_json(comparison.runs, run_json);
  report["groups"] =
      list_json(comparison.groups, [&](const VariantGroup& group) { return group_json(comparison, group); });
  report["paired"] = list_json(comparison.paired, pair_json);
  report["clips"] = list_json(comparison.clips, clips_json);
  if (!comparison.at_skill.empty()) report["at_equal_skill"] = list_json(comparison.at_skill, at_skill_json);
  if (!comparison.skill_pairs.empty())
    report["paired_at_equal_skill"] = list_json(comparison.skill_pairs, skill_pair_json);
  report["warnings"] = comparison.warnings;
  if (!comparison.caption_scores.empty()) report["caption_scores"] = to_json(comparison.caption_scores);
  if (!comparison.primary.empty()) report["primary"] = comparison.primary;
  return report;
}

}  // namespace trainer
