#include "trainer/results/mechanism_record.hpp"

#include <algorithm>

namespace trainer {
namespace {

using common::Json;

constexpr const char* k_title = "title";

bool is_on(const Json& options) {
  if (!options.is_object()) return false;
  const auto weight = options.find("weight");
  return weight == options.end() || !weight->is_number() || weight->get<double>() > 0;
}

std::string title_of(const std::string& key, const Json& options) {
  if (const auto title = options.find(k_title); title != options.end() && title->is_string())
    return title->get<std::string>();
  std::string words = key;
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

}  // namespace

std::vector<MechanismRecord> mechanisms_in(const Json& config) {
  std::vector<MechanismRecord> all;
  const auto retention = config.find("retention");
  if (retention == config.end() || !retention->is_object()) return all;
  for (const auto& [key, options] : retention->items()) {
    if (!is_on(options)) continue;
    all.push_back({key, title_of(key, options), options});
    all.back().settings.erase(k_title);
  }
  return all;
}

bool has_mechanism(const Json& config, const std::string& key) {
  const std::vector<MechanismRecord> all = mechanisms_in(config);
  return std::any_of(all.begin(), all.end(), [&](const MechanismRecord& one) { return one.key == key; });
}

double kl_weight_of(const Json& config) {
  for (const MechanismRecord& one : mechanisms_in(config))
    if (const auto weight = one.settings.find("weight");
        one.key == "kl" && weight != one.settings.end() && weight->is_number())
      return weight->get<double>();
  return 0;
}

}  // namespace trainer
