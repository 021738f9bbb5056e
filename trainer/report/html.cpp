#include "trainer/report/html.hpp"

#include <array>
#include <utility>

#include "common/utf8.hpp"

namespace trainer {
namespace {

constexpr std::array<std::pair<char, std::string_view>, 5> k_entities = {
    {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}}};

constexpr std::string_view k_replacement = "\xEF\xBF\xBD";

// HTML has no way to write control characters, and those that turn the direction of writing would show a text
// in another order than it has, together with what stands beside it.
bool is_replaced(char32_t c) {
  const bool is_control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0);
  return is_control || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const common::FirstCharacter first = common::first_character(text);
    std::string_view piece = text.substr(0, first.bytes);
    text.remove_prefix(first.bytes);
    if (!first.is_valid || is_replaced(first.value)) piece = k_replacement;
    for (const auto& [plain, entity] : k_entities)
      if (first.is_valid && first.value == static_cast<char32_t>(plain)) piece = entity;
    out += piece;
  }
  return out;
}

std::string unescape_html(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t taken = 1;
    char c = text[at];
    for (const auto& [plain, entity] : k_entities)
      if (text.substr(at, entity.size()) == entity) {
        c = plain;
        taken = entity.size();
        break;
      }
    out += c;
    at += taken;
  }
  return out;
}

std::string base64(common::ByteView bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const std::uint32_t three = (std::uint32_t{bytes[i]} << 16) |
                                (left > 1 ? std::uint32_t{bytes[i + 1]} << 8 : 0) |
                                (left > 2 ? std::uint32_t{bytes[i + 2]} : 0);
    out += digits[three >> 18];
    out += digits[(three >> 12) & 63];
    out += left > 1 ? digits[(three >> 6) & 63] : '=';
    out += left > 2 ? digits[three & 63] : '=';
  }
  return out;
}

}  // namespace trainer
