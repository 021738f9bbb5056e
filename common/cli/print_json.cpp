#include "common/cli/print_json.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "common/utf8.hpp"

namespace common {
namespace {

std::string replace_bad_bytes(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t good = utf8_prefix(text);
    out += text.substr(0, good);
    text.remove_prefix(good);
    if (text.empty()) break;
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    text.remove_prefix(1);
  }
  return out;
}

std::string printable_text(const std::string& text) { return is_utf8(text) ? text : replace_bad_bytes(text); }

}  // namespace

Json printable(const Json& value) {
  if (value.is_string()) return printable_text(value.get_ref<const std::string&>());
  if (!value.is_structured()) return value;
  Json copy = value.is_object() ? Json::object() : Json::array();
  if (value.is_array())
    for (const Json& item : value) copy.push_back(printable(item));
  else
    for (const auto& [key, item] : value.items()) copy.emplace(printable_text(key), printable(item));
  return copy;
}

void print_json(const Json& value, JsonLayout layout) {
  const Json shown = printable(value);
  const std::string text = layout == JsonLayout::pretty ? dump_pretty(shown) : dump_line(shown);
  fmt::print("{}\n", text);
}

}  // namespace common
