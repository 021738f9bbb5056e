#include "trainer/formats/config_reader.hpp"

#include <fmt/format.h>

#include "common/error.hpp"

namespace trainer {

using common::Json;

namespace {

struct ActivationName {
  const char* name;
  Activation activation;
};
// The first name of an activation is the one that is written.
constexpr ActivationName k_activations[] = {{"gelu", Activation::gelu},
                                            {"gelu_pytorch_tanh", Activation::gelu_tanh},
                                            {"quick_gelu", Activation::quick_gelu},
                                            {"relu", Activation::relu},
                                            {"silu", Activation::silu},
                                            {"swish", Activation::silu}};
const Json k_nothing = Json::object();

}  // namespace

const char* name_of(Activation activation) {
  for (const auto& known : k_activations)
    if (known.activation == activation) return known.name;
  common::ensure_failed("a known activation", __FILE__, __LINE__);
}

void refuse_config(const std::string& where, const std::string& why) {
  const char* remedy = why.find(';') == std::string::npos
                           ? "; copy the file from where the model was published, or take another model"
                           : "";
  throw common::Error(common::ErrorKind::format, where + ": " + why + remedy);
}

ConfigReader::ConfigReader(const Json& object, std::string where)
    : object_(&object), where_(std::move(where)) {
  if (!object.is_object()) refuse("an object was expected");
}

void ConfigReader::refuse(const std::string& why) const { refuse_config(where_, why); }

const Json* ConfigReader::find(const char* key) const {
  const auto at = object_->find(key);
  return at == object_->end() || at->is_null() ? nullptr : &*at;
}

bool ConfigReader::has(const char* key) const { return find(key) != nullptr; }

std::int64_t ConfigReader::integer(const char* key, std::int64_t fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number_integer()) refuse(fmt::format("{} is not a whole number", key));
  return value->get<std::int64_t>();
}

double ConfigReader::number(const char* key, double fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number()) refuse(fmt::format("{} is not a number", key));
  return value->get<double>();
}

bool ConfigReader::boolean(const char* key, bool fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) refuse(fmt::format("{} is neither true nor false", key));
  return value->get<bool>();
}

std::string ConfigReader::string(const char* key, const std::string& fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) refuse(fmt::format("{} is not a string", key));
  return value->get<std::string>();
}

std::vector<std::int64_t> ConfigReader::integers(const char* key,
                                                 const std::vector<std::int64_t>& fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (value->is_number_integer()) return {value->get<std::int64_t>()};
  std::vector<std::int64_t> all;
  for (const auto& item : *value) {
    if (!value->is_array() || !item.is_number_integer()) break;
    all.push_back(item.get<std::int64_t>());
  }
  if (all.empty() || all.size() != value->size())
    refuse(fmt::format("{} is not a list of whole numbers", key));
  return all;
}

std::vector<double> ConfigReader::numbers(const char* key, const std::vector<double>& fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  std::vector<double> all;
  for (const auto& item : *value) {
    if (!value->is_array() || !item.is_number()) break;
    all.push_back(item.get<double>());
  }
  if (all.empty() || all.size() != value->size()) refuse(fmt::format("{} is not a list of numbers", key));
  return all;
}

Activation ConfigReader::activation(const char* key, Activation fallback) const {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  for (const auto& known : k_activations)
    if (value->is_string() && *value == known.name) return known.activation;
  refuse(fmt::format("{} {} is not supported; gelu, gelu_pytorch_tanh, quick_gelu, relu and silu are", key,
                     value->dump()));
}

ConfigReader ConfigReader::object(const char* key) const {
  const Json* value = find(key);
  return {value == nullptr ? k_nothing : *value, where_ + ": " + key};
}

}  // namespace trainer
