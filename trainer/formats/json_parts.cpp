#include "trainer/formats/json_parts.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <set>
#include <system_error>

#include "common/error.hpp"
#include "common/json_stream.hpp"

namespace trainer {
namespace {

using common::Json;
using common::JsonStream;

class PartReader {
 public:
  PartReader(std::string_view text, const std::string& name, const std::vector<JsonPart>& parts)
      : stream_(text, name), name_(name), parts_(parts) {}

  Json document() {
    Json root = value();
    stream_.finish();
    return root;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw common::Error(common::ErrorKind::format, name_ + ": " + what + "; fetch the file again");
  }

  void count() {
    if (in_item_) {
      if (++item_values_ > k_item_values_limit)
        fail(fmt::format("\"{}\" consists of more than {} values", item_key_.substr(0, 80),
                         k_item_values_limit));
    } else if (++kept_ > k_kept_values_limit) {
      fail(fmt::format("it has more than {} values where a model's file has a few", k_kept_values_limit));
    }
  }

  // The part that the innermost open list or object is.
  [[nodiscard]] const JsonPart* part_here() const {
    if (in_item_) return nullptr;
    for (const JsonPart& part : parts_)
      if (part.path == path_) return &part;
    return nullptr;
  }

  Json value() {
    count();
    switch (stream_.next()) {
      case JsonStream::Kind::object:
        return object();
      case JsonStream::Kind::array:
        return array();
      case JsonStream::Kind::string:
        return std::string(stream_.text());
      case JsonStream::Kind::number:
        return number();
      case JsonStream::Kind::literal:
        break;
    }
    const common::JsonLiteral literal = stream_.literal();
    if (literal == common::JsonLiteral::null) return nullptr;
    return literal == common::JsonLiteral::yes;
  }

  Json number() {
    const common::JsonNumber number = stream_.number();
    if (number.kind == common::JsonNumber::Kind::integer) return number.value;
    double real = 0;
    const char* const end = number.text.data() + number.text.size();
    const auto parsed = std::from_chars(number.text.data(), end, real);
    if (number.kind == common::JsonNumber::Kind::too_large || parsed.ec == std::errc::result_out_of_range ||
        !std::isfinite(real))
      fail(fmt::format("the number {} is too large or too small", number.text.substr(0, 40)));
    return real;
  }

  void hand_over(const JsonPart& part, const std::string& key) {
    in_item_ = true;
    item_values_ = 0;
    item_key_ = key;
    Json item = value();
    in_item_ = false;
    part.take(key, std::move(item));
  }

  Json array() {
    Json result = Json::array();
    const JsonPart* const part = part_here();
    stream_.enter();
    path_.emplace_back();
    while (stream_.element()) {
      if (part != nullptr)
        hand_over(*part, "");
      else
        result.push_back(value());
    }
    path_.pop_back();
    return result;
  }

  Json object() {
    Json result = Json::object();
    // On the vector underneath: ordered_json's operator[] searches all keys.
    auto& members = static_cast<Json::object_t::Container&>(result.get_ref<Json::object_t&>());
    const JsonPart* const part = part_here();
    std::set<std::string> keys;
    stream_.enter();
    for (std::string_view next; stream_.member(next);) {
      std::string key(next);
      if (part != nullptr) {
        hand_over(*part, key);
        continue;
      }
      if (!keys.insert(key).second)
        fail(fmt::format("duplicate key \"{}\" in one object", key.substr(0, 80)));
      path_.push_back(key);
      Json member = value();
      path_.pop_back();
      members.emplace_back(std::move(key), std::move(member));
    }
    return result;
  }

  JsonStream stream_;
  const std::string& name_;
  const std::vector<JsonPart>& parts_;
  std::vector<std::string> path_;  // the keys that lead to what is read; empty for an element of a list
  bool in_item_ = false;
  std::string item_key_;
  std::size_t item_values_ = 0, kept_ = 0;
};

}  // namespace

Json parse_json_parts(std::string_view text, const std::string& name, const std::vector<JsonPart>& parts) {
  return PartReader(text, name, parts).document();
}

}  // namespace trainer
