#include "common/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <vector>

#include "common/error.hpp"
#include "common/file.hpp"

namespace common {
namespace {

// Of these digits Python 3.11 makes an integer, and of no more.
constexpr std::size_t k_big_digits = 4300, k_shown_digits = 100;
constexpr const char* k_big_key = "seed";

// Builds the value while refusing what nlohmann's own DOM parser lets through: duplicate keys (it keeps the
// last), integers beyond 64 bits (it makes doubles of them) and deep nesting (it would exhaust the stack).
class StrictBuilder : public nlohmann::json_sax<Json> {
 public:
  StrictBuilder(Json& root, const std::string& name) : root_(root), name_(name) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(std::int64_t value) override { return put(value); }
  bool number_unsigned(std::uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string& text) override {
    if (text.find_first_of(".eE") == std::string::npos) {
      if (key_ == k_big_key && text.size() <= k_big_digits) return put(integer_of_any_size(text));
      fail("the integer " + text.substr(0, k_shown_digits) + " does not fit in 64 bits");
    }
    if (!std::isfinite(value)) fail("the number " + text + " is too large for a double");
    return put(value);
  }
  bool string(std::string& value) override { return put(std::move(value)); }
  bool binary(Json::binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*size*/) override { return open(Json::array()); }
  bool end_object() override {
    keys_.pop_back();
    stack_.pop_back();
    return true;
  }
  bool end_array() override { return end_object(); }
  bool key(std::string& value) override {
    if (!keys_.back().insert(value).second) fail("duplicate key \"" + value + "\" in one object");
    key_ = std::move(value);
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    constexpr int k_number_overflow = 406;
    if (error.id == k_number_overflow)
      fail("the number that ends at byte " + std::to_string(position) + " is too large for a double");
    std::string reason = error.what();
    if (const std::size_t at = reason.find("] "); at != std::string::npos) reason = reason.substr(at + 2);
    if (reason.find("surrogate") != std::string::npos)
      reason = "a lone surrogate is not a character and is not valid in UTF-8";
    throw Error(ErrorKind::format, name_ + " is not valid JSON at byte " + std::to_string(position) + " (" +
                                       reason + "); repair the file or name another");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::format, name_ + ": " + what + "; repair the file or name another");
  }
  Json* place(Json&& value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    // emplace_back on the underlying vector: ordered_json's operator[] searches all keys, and key() has
    // already refused duplicates.
    auto& object = parent.get_ref<Json::object_t&>();
    static_cast<Json::object_t::Container&>(object).emplace_back(std::move(key_), std::move(value));
    return &object.back().second;
  }
  template <typename T>
  bool put(T&& value) {
    place(Json(std::forward<T>(value)));
    return true;
  }
  bool open(Json&& value) {
    if (stack_.size() >= static_cast<std::size_t>(k_depth_limit)) fail("nesting is deeper than 64 levels");
    stack_.push_back(place(std::move(value)));
    keys_.emplace_back();
    return true;
  }

  Json& root_;
  const std::string& name_;
  std::vector<Json*> stack_;
  std::vector<std::set<std::string>> keys_;
  std::string key_;
};

void dump_string(const std::string& text, std::string& out) {
  // Most texts stand for themselves, and going through a value of nlohmann's costs ten times as much.
  if (std::all_of(text.begin(), text.end(),
                  [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; })) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  // nlohmann's ASCII mode and CPython's agree on every escape (checked by a test over the whole plane).
  try {
    out += Json(text).dump(-1, ' ', true);
  } catch (const Json::type_error&) {
    throw Error(ErrorKind::format,
                "a text or file name is not UTF-8 and cannot be written as JSON; rename it");
  }
}

void dump(const Json& value, int indent, int level, std::string& out) {
  const auto new_line = [&](int depth) {
    if (indent < 0) return;
    out += '\n';
    out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(depth), ' ');
  };
  const char* comma = indent < 0 ? ", " : ",";
  if (value.is_object() || value.is_array()) {
    const bool object = value.is_object();
    if (value.empty()) {
      out += object ? "{}" : "[]";
      return;
    }
    out += object ? '{' : '[';
    bool first = true;
    for (auto it = value.begin(); it != value.end(); ++it) {
      if (!first) out += comma;
      first = false;
      new_line(level + 1);
      if (object) {
        dump_string(it.key(), out);
        out += ": ";
      }
      dump(*it, indent, level + 1, out);
    }
    new_line(level);
    out += object ? '}' : ']';
  } else if (value.is_number_float()) {
    out += python_repr(value.get<double>());
  } else if (value.is_string()) {
    dump_string(value.get_ref<const std::string&>(), out);
  } else if (value.is_binary()) {
    out.append(value.get_binary().begin(), value.get_binary().end());  // of integer_of_any_size
  } else {
    out += value.dump();
  }
}

// nlohmann takes it for the end of the text, and would not see what follows.
void refuse_nul(std::string_view text, const std::string& name) {
  if (const std::size_t at = text.find('\0'); at != std::string_view::npos)
    throw Error(ErrorKind::format, name + " is not valid JSON at byte " + std::to_string(at + 1) +
                                       " (a NUL byte); repair the file or name another");
}

}  // namespace

Json parse_json(std::string_view text, const std::string& name) {
  refuse_nul(text, name);
  Json root;
  StrictBuilder builder(root, name);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return root;
}

Json read_json(const std::filesystem::path& path, std::uint64_t limit_bytes) {
  return parse_json(read_text(path, limit_bytes), path.string());
}

std::string dump_pretty(const Json& value, int level) {
  std::string out;
  dump(value, 2, level, out);
  return out;
}

std::string dump_line(const Json& value) {
  std::string out;
  dump(value, -1, 0, out);
  return out;
}

std::string python_repr(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  char buffer[32];
  const auto scientific = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string shortest(buffer, scientific.ptr);
  const int exponent = std::stoi(shortest.substr(shortest.find('e') + 1));
  // CPython's float_repr_style "short": positional for 1e-4 <= |x| < 1e16.
  if (value == 0 || (exponent >= -4 && exponent < 16)) {
    // Fixed notation of the *shortest* digits; to_chars(fixed) alone would print the exact value of large
    // ones.
    const auto fixed = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
    std::string text(buffer, fixed.ptr);
    if (text.find('.') == std::string::npos) text += ".0";
    return text;
  }
  return shortest;
}

const Json& member(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object()) throw Error(ErrorKind::format, where + " is not a JSON object; check the file");
  const auto found = object.find(key);
  if (found == object.end())
    throw Error(ErrorKind::format, where + " has no key \"" + key + "\"; check that it is the right file");
  return *found;
}

namespace {
[[noreturn]] void wrong_type(const char* key, const std::string& where, const char* wanted,
                             const Json& found) {
  throw Error(ErrorKind::format, where + ": \"" + key + "\" must be " + wanted + ", found " +
                                     found.type_name() + "; check the file");
}
}  // namespace

std::string string_member(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, where);
  if (!value.is_string()) wrong_type(key, where, "a string", value);
  return value.get<std::string>();
}

std::int64_t integer_member(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, where);
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX))
    wrong_type(key, where, "an integer of 64 bits", value);
  return value.get<std::int64_t>();
}

Json integer_of_any_size(const std::string& digits) {
  const char* const end = digits.data() + digits.size();
  if (std::int64_t small = 0; std::from_chars(digits.data(), end, small).ec == std::errc()) return small;
  if (std::uint64_t small = 0; std::from_chars(digits.data(), end, small).ec == std::errc()) return small;
  // A type that JSON texts do not have; dump writes it as the number that it is.
  return Json::binary({digits.begin(), digits.end()});
}

std::string digits_member(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, where);
  if (value.is_binary()) return {value.get_binary().begin(), value.get_binary().end()};
  if (!value.is_number_integer()) wrong_type(key, where, "an integer", value);
  return value.dump();
}

double number_member(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, where);
  if (!value.is_number()) wrong_type(key, where, "a number", value);
  return value.get<double>();
}

const Json& array_member(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, where);
  if (!value.is_array()) wrong_type(key, where, "an array", value);
  return value;
}

// The Python original's loader raises on a key that it does not know; so do we, or its error would come
// later, on another machine.
void refuse_other_members(const Json& object, std::initializer_list<std::string_view> known,
                          const std::string& where) {
  if (!object.is_object()) throw Error(ErrorKind::format, where + " is not a JSON object; check the file");
  for (const auto& [key, value] : object.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw Error(ErrorKind::format, where + " has the unknown key \"" + key +
                                         "\"; remove it, or name a file of the right kind");
}

}  // namespace common
