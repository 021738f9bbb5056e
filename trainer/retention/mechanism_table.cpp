#include "trainer/retention/mechanism_table.hpp"

#include <utility>

namespace trainer {
namespace {

// Calls `visit` with each mechanism's options.
template <typename Config, typename Visit>
void for_each_mechanism(Config& config, const Visit& visit) {
  std::apply([&](auto&... options) { (visit(options), ...); }, config.mechanisms);
}

template <typename Visit>
void for_each_mechanism_on(const RetentionConfig& config, const Visit& visit) {
  for_each_mechanism(config, [&](const auto& options) {
    if (options.is_on()) visit(options);
  });
}

constexpr auto k_indices = std::make_index_sequence<std::tuple_size_v<MechanismFlags>>();

}  // namespace

RetentionConfig preset_of(const std::string& variant) {
  RetentionConfig config;
  for_each_mechanism(config, [&](auto& options) { options = options.preset(variant); });
  return config;
}

void add_mechanism_flags(common::Verb& verb, MechanismFlags& flags) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (std::tuple_element_t<I, MechanismTable::Values>::add_flags(verb, std::get<I>(flags)), ...);
  }
  (k_indices);
}

void apply(const MechanismFlags& flags, RetentionConfig& config) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (std::get<I>(config.mechanisms).apply(std::get<I>(flags)), ...);
  }
  (k_indices);
}

common::Json to_json(const RetentionConfig& config) {
  common::Json json;
  json["batch_size"] = config.batch_size;
  json["questions"] = config.questions;
  for_each_mechanism(config, [&](const auto& options) {
    common::Json& one = json[options.k_key] = nullptr;
    if (!options.is_on()) return;
    one = {{"title", options.k_title}};
    one.update(options.json());
  });
  return json;
}

std::vector<MechanismEntry> mechanisms_on(const RetentionConfig& config, std::int64_t batch) {
  std::vector<MechanismEntry> entries;
  for_each_mechanism_on(config, [&](const auto& options) {
    entries.push_back({options.k_title, options.k_switch_off, options.needs(batch)});
  });
  return entries;
}

bool any_on(const RetentionConfig& config) { return !mechanisms_on(config, config.batch_size).empty(); }

Mechanisms make_mechanisms(const RetentionConfig& config, std::int64_t seed) {
  Mechanisms mechanisms;
  for_each_mechanism_on(config, [&](const auto& options) { mechanisms.push_back(options.make(seed)); });
  return mechanisms;
}

}  // namespace trainer
