#include "trainer/results/metrics.hpp"

#include <algorithm>

#include "trainer/results/json_fields.hpp"

namespace trainer {
namespace {

using common::Json;

constexpr const char* k_bleu_keys[] = {"bleu_1", "bleu_2", "bleu_3", "bleu_4"};
constexpr const char* k_audio_bleu_keys[] = {"audio_bleu_1", "audio_bleu_2", "audio_bleu_3", "audio_bleu_4"};
// Keys of the original that this project does not compute, or that follow from others.
constexpr const char* k_always_null[] = {"audio_bertscore", "audio_meteor", "audio_spice", "audio_spider"};

template <typename Fields, typename Item>
void visit_condition(Fields& fields, Item& item) {
  fields("questions", item.questions);
  fields("accuracy", item.accuracy);
  fields("base_accuracy", item.base_accuracy);
  fields("agreement", item.agreement);
  fields("kl_to_base", item.kl_to_base);
  fields("delta_nll", item.delta_nll);
  fields("positive_flips", item.positive_flips);
  fields("negative_flips", item.negative_flips);
}

template <typename Fields, typename Item>
void visit_audio(Fields& fields, Item& item) {
  fields("samples", item.samples);
  fields("token_f1", item.token_f1);
  fields("exact_match", item.exact_match);
  for (std::size_t n = 0; n < 4; ++n) fields(k_bleu_keys[n], item.bleu[n]);
  fields("rouge_l", item.rouge_l);
  fields("cider_d", item.cider_d);
  fields("answer_nll", item.answer_nll);
  fields("base_token_f1", item.base_token_f1);
  fields("shuffled_token_f1", item.shuffled_token_f1);
  fields("gain_over_base", item.gain_over_base);
  fields("gain_over_shuffled", item.gain_over_shuffled);
}

template <typename Fields, typename Item>
void visit_accuracy(Fields& fields, Item& item) {
  fields("accuracy", item.accuracy);
  fields("base_accuracy", item.base_accuracy);
  fields("shuffled_accuracy", item.shuffled_accuracy);
}

template <typename Fields, typename Item>
void visit_null_space(Fields& fields, Item& item) {
  fields("map", item.map);
  fields("layer", item.layer);
  fields("rank", item.rank);
  fields("width", item.width);
  fields("rows", item.rows);
  fields("energy", item.energy);
  fields("leak", item.leak);
  fields("certificate", item.certificate);
  fields("measured_drift", item.measured_drift);
}

template <typename Fields, typename Item>
void visit_opening(Fields& fields, Item& item) {
  fields("rms", item.rms);
  fields("mean", item.mean);
  fields("outside", item.outside);
}

template <typename Fields, typename Item>
void visit_activity(Fields& fields, Item& item) {
  fields("enabled_steps", item.enabled_steps);
  fields("acted_steps", item.acted_steps);
  fields("largest", item.largest);
}

template <typename Fields, typename Item>
void visit_split(Fields& fields, Item& item) {
  fields("total_loss", item.total_loss);
  fields("audio_task_loss", item.audio_task_loss);
  fields("audio_accuracy", item.audio_accuracy);
  fields("audio_exact_match", item.audio_exact_match);
  fields("audio_token_f1", item.audio_token_f1);
  fields("vl_safe_accuracy", item.vl_safe_accuracy);
  fields("vl_base_accuracy", item.vl_base_accuracy);
  fields("retention_score", item.retention_score);
  fields("audio_gain", item.audio_gain);
  fields("audio_samples", item.audio_samples);
  fields("vl_samples", item.vl_samples);
  for (std::size_t n = 0; n < 4; ++n) fields(k_audio_bleu_keys[n], item.audio_bleu[n]);
  fields("audio_rouge_l", item.audio_rouge_l);
  fields("audio_cider", item.audio_cider);
  fields("audio_caption_samples", item.audio_caption_samples);
  fields("retention_loss", item.retention_loss);
  fields("distillation_loss", item.distillation_loss);
  fields("fisher_loss", item.fisher_loss);
}

Json write_condition(const ConditionMetrics& item) {
  FieldWriter writer, types;
  visit_condition(writer, item);
  for (const auto& [type, accuracy] : item.by_answer_type) types(type.c_str(), accuracy);
  writer.object["by_answer_type"] = std::move(types.object);
  return std::move(writer.object);
}

ConditionMetrics read_condition(const Json& value, const std::string& where) {
  ConditionMetrics item;
  FieldReader reader(value, where);
  visit_condition(reader, item);
  const Json& types = common::member(value, "by_answer_type", where);
  FieldReader type_reader(types, where);
  for (const auto& entry : types.items()) type_reader(entry.key().c_str(), item.by_answer_type[entry.key()]);
  return item;
}

Json write_audio(const AudioMetrics& item) {
  FieldWriter writer;
  visit_audio(writer, item);
  if (item.accuracy) visit_accuracy(writer, item);
  return std::move(writer.object);
}

AudioMetrics read_audio(const Json& value, const std::string& where) {
  AudioMetrics item;
  FieldReader reader(value, where);
  visit_audio(reader, item);
  if (value.contains("accuracy")) visit_accuracy(reader, item);
  return item;
}

// Every name of `names`, null where it was not measured; then whatever else was measured.
template <typename Names, typename Item, typename Write>
Json write_group(const Names& names, const std::map<std::string, Item>& items, Write write) {
  Json group = Json::object();
  for (const std::string_view name : names) {
    const auto found = items.find(std::string(name));
    group[std::string(name)] = found == items.end() ? Json(nullptr) : write(found->second);
  }
  for (const auto& [name, item] : items)
    if (!group.contains(name)) group[name] = write(item);
  return group;
}

template <typename Item, typename Read>
void read_group(const Json& value, const std::string& where, std::map<std::string, Item>& items, Read read) {
  if (!value.is_object())
    throw common::Error(common::ErrorKind::format,
                        where + " is not a JSON object; check that it is a metrics.json");
  for (const auto& entry : value.items())
    if (!entry.value().is_null()) items[entry.key()] = read(entry.value(), where + "." + entry.key());
}

Json write_split(const SplitMetrics& item) {
  FieldWriter writer;
  visit_split(writer, item);
  writer.object["total_samples"] = item.audio_samples + item.vl_samples;
  writer("audio_bleu", item.audio_bleu[3]);
  for (const char* key : k_always_null) writer.object[key] = nullptr;
  writer.object["conditions"] = write_group(k_vl_conditions, item.conditions, write_condition);
  writer.object["audio"] = write_group(k_audio_groups, item.audio, write_audio);
  return std::move(writer.object);
}

SplitMetrics read_split(const Json& value, const std::string& where) {
  SplitMetrics item;
  FieldReader reader(value, where);
  visit_split(reader, item);
  read_group(common::member(value, "conditions", where), where + ".conditions", item.conditions,
             read_condition);
  read_group(common::member(value, "audio", where), where + ".audio", item.audio, read_audio);
  return item;
}

Json write_activity(const MechanismActivity& item) {
  FieldWriter writer, measured;
  visit_activity(writer, item);
  for (const auto& [name, number] : item.measured) measured(name.c_str(), number);
  if (!item.measured.empty()) writer.object["measured"] = std::move(measured.object);
  return std::move(writer.object);
}

MechanismActivity read_activity(const Json& value, const std::string& where) {
  MechanismActivity item;
  FieldReader reader(value, where);
  visit_activity(reader, item);
  const auto measured = value.find("measured");
  if (measured == value.end()) return item;
  if (!measured->is_object())
    throw common::Error(common::ErrorKind::format,
                        where + ": \"measured\" is not a JSON object; check that it is a metrics.json");
  FieldReader numbers(*measured, where);
  for (const auto& entry : measured->items()) numbers(entry.key().c_str(), item.measured[entry.key()]);
  return item;
}

Json write_gate(const GateMetrics& item) {
  FieldWriter retention, audio;
  visit_opening(retention, item.retention);
  visit_opening(audio, item.audio);
  return {
      {"layer", item.layer}, {"retention", std::move(retention.object)}, {"audio", std::move(audio.object)}};
}

GateMetrics read_gate(const Json& value, const std::string& where) {
  GateMetrics item;
  item.layer = common::integer_member(value, "layer", where);
  FieldReader retention(common::member(value, "retention", where), where),
      audio(common::member(value, "audio", where), where);
  visit_opening(retention, item.retention);
  visit_opening(audio, item.audio);
  return item;
}

}  // namespace

std::string beyond_condition(std::string_view set, std::string_view condition) {
  return std::string(set) + ":" + std::string(condition);
}

ConditionParts parts_of(std::string_view condition) {
  const std::size_t colon = condition.find(':');
  if (colon == std::string_view::npos) return {{}, condition};
  return {condition.substr(0, colon), condition.substr(colon + 1)};
}

bool is_vl_condition(std::string_view name) {
  const auto has = [](const auto& names, std::string_view one) {
    return std::find(names.begin(), names.end(), one) != names.end();
  };
  const ConditionParts parts = parts_of(name);
  return has(k_vl_conditions, name) ||
         (has(k_question_sets, parts.set) && has(k_beyond_conditions, parts.condition));
}

Json to_json(const Metrics& metrics) {
  FieldWriter writer;
  writer.object["validation"] = write_split(metrics.validation);
  // As the original: the key is there only where the training rows were evaluated.
  if (metrics.training) writer.object["training"] = write_split(*metrics.training);
  writer("bit_equal_without_audio", metrics.bit_equal_without_audio);
  writer("fisher_trace", metrics.fisher_trace);
  Json& spaces = writer.object["null_space"] = Json::array();
  for (const NullSpaceMetrics& space : metrics.null_space) {
    FieldWriter one;
    visit_null_space(one, space);
    spaces.push_back(std::move(one.object));
  }
  // Runs of older programs have no such key.
  if (!metrics.gate.empty()) {
    Json& gates = writer.object["gate"] = Json::array();
    for (const GateMetrics& gate : metrics.gate) gates.push_back(write_gate(gate));
  }
  Json& mechanisms = writer.object["mechanisms"] = Json::object();
  for (const auto& [name, activity] : metrics.mechanisms) mechanisms[name] = write_activity(activity);
  return std::move(writer.object);
}

Metrics metrics_from_json(const Json& value, const std::string& where) {
  Metrics metrics;
  metrics.validation = read_split(common::member(value, "validation", where), where + ": validation");
  if (value.contains("training")) metrics.training = read_split(value.at("training"), where + ": training");
  FieldReader reader(value, where);
  reader("bit_equal_without_audio", metrics.bit_equal_without_audio);
  reader("fisher_trace", metrics.fisher_trace);
  for (const Json& space : common::array_member(value, "null_space", where)) {
    const std::string place = where + ": null_space";
    FieldReader one(space, place);
    visit_null_space(one, metrics.null_space.emplace_back());
  }
  if (value.contains("gate"))
    for (const Json& gate : common::array_member(value, "gate", where))
      metrics.gate.push_back(read_gate(gate, where + ": gate"));
  read_group(common::member(value, "mechanisms", where), where + ": mechanisms", metrics.mechanisms,
             read_activity);
  return metrics;
}

}  // namespace trainer
