// Members of a Hugging Face config.json, where an absent key and null both mean the default.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "trainer/formats/activation.hpp"

namespace trainer {

// A format error; where `why` names no remedy behind a semicolon, the usual one follows.
[[noreturn]] void refuse_config(const std::string& where, const std::string& why);

// A view: the object must outlive it. Format errors name `where` and the key.
class ConfigReader {
 public:
  ConfigReader(const common::Json& object, std::string where);
  [[nodiscard]] bool has(const char* key) const;
  [[nodiscard]] std::int64_t integer(const char* key, std::int64_t fallback) const;
  [[nodiscard]] double number(const char* key, double fallback) const;
  [[nodiscard]] bool boolean(const char* key, bool fallback) const;
  [[nodiscard]] std::string string(const char* key, const std::string& fallback) const;
  // One integer counts as a list of one.
  [[nodiscard]] std::vector<std::int64_t> integers(const char* key,
                                                   const std::vector<std::int64_t>& fallback) const;
  [[nodiscard]] std::vector<double> numbers(const char* key, const std::vector<double>& fallback) const;
  [[nodiscard]] Activation activation(const char* key, Activation fallback) const;
  [[nodiscard]] ConfigReader object(const char* key) const;  // an empty one where there is none
  [[nodiscard]] const common::Json& json() const { return *object_; }
  [[nodiscard]] const std::string& where() const { return where_; }
  // As refuse_config, of this object.
  [[noreturn]] void refuse(const std::string& why) const;

 private:
  [[nodiscard]] const common::Json* find(const char* key) const;

  const common::Json* object_;
  std::string where_;
};

[[nodiscard]] const char* name_of(Activation activation);

}  // namespace trainer
