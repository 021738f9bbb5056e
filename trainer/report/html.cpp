#include "trainer/report/html.hpp"

#include <array>
#include <utility>

namespace trainer {
namespace {

constexpr std::array<std::pair<char, std::string_view>, 5> k_entities = {
    {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}}};

constexpr std::string_view k_replacement = "\xEF\xBF\xBD";

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    std::string_view piece(&c, 1);
    if (is_control(c)) piece = k_replacement;
    for (const auto& [plain, entity] : k_entities)
      if (c == plain) piece = entity;
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
