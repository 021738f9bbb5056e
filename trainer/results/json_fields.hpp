// One list of fields for both directions: a struct names its keys once, in the order of the file, and a
// writer or a reader is passed along it. What is not there is null in the file; numbers that JSON cannot hold
// are null too.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/json.hpp"

namespace trainer {

class FieldWriter {
 public:
  common::Json object = common::Json::object();

  void operator()(const char* key, const std::string& value) { object[key] = value; }
  void operator()(const char* key, const std::vector<std::string>& value) { object[key] = value; }
  void operator()(const char* key, const std::int64_t& value) { object[key] = value; }
  void operator()(const char* key, const double& value) { put(key, value); }
  void operator()(const char* key, const std::optional<bool>& value) { put_maybe(key, value); }
  void operator()(const char* key, const std::optional<std::string>& value) { put_maybe(key, value); }
  void operator()(const char* key, const std::optional<std::int64_t>& value) { put_maybe(key, value); }
  void operator()(const char* key, const std::optional<double>& value) {
    if (value)
      put(key, *value);
    else
      object[key] = nullptr;
  }

 private:
  void put(const char* key, double value) {
    if (std::isfinite(value))
      object[key] = value;
    else
      object[key] = nullptr;
  }
  template <typename T>
  void put_maybe(const char* key, const std::optional<T>& value) {
    if (value)
      object[key] = *value;
    else
      object[key] = nullptr;
  }
};

// Every key must be there; further keys are left alone, so that an older reader opens a newer file.
class FieldReader {
 public:
  FieldReader(const common::Json& object, const std::string& where) : object_(object), where_(where) {}

  void operator()(const char* key, std::string& value) {
    value = common::string_member(object_, key, where_);
  }
  void operator()(const char* key, std::int64_t& value) {
    value = common::integer_member(object_, key, where_);
  }
  void operator()(const char* key, double& value) { value = common::number_member(object_, key, where_); }
  void operator()(const char* key, std::vector<std::string>& value) {
    value.clear();
    for (const common::Json& item : common::array_member(object_, key, where_)) {
      if (!item.is_string()) fail(key, "must be a list of strings");
      value.push_back(item.get<std::string>());
    }
  }
  void operator()(const char* key, std::optional<bool>& value) {
    const common::Json& found = common::member(object_, key, where_);
    if (!found.is_null() && !found.is_boolean()) fail(key, "must be true, false or null");
    value = found.is_null() ? std::nullopt : std::optional(found.get<bool>());
  }
  void operator()(const char* key, std::optional<std::string>& value) {
    value.reset();
    if (!common::member(object_, key, where_).is_null()) value = common::string_member(object_, key, where_);
  }
  void operator()(const char* key, std::optional<std::int64_t>& value) {
    value.reset();
    if (!common::member(object_, key, where_).is_null()) value = common::integer_member(object_, key, where_);
  }
  void operator()(const char* key, std::optional<double>& value) {
    value.reset();
    if (!common::member(object_, key, where_).is_null()) value = common::number_member(object_, key, where_);
  }

 private:
  [[noreturn]] void fail(const char* key, const char* what) const {
    throw common::Error(common::ErrorKind::format,
                        where_ + ": \"" + key + "\" " + what + "; check that it is the right file");
  }
  const common::Json& object_;
  const std::string& where_;
};

}  // namespace trainer
