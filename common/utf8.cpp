#include "common/utf8.hpp"

#include <unicode/utf8.h>

#include <cstdint>

namespace common {

FirstCharacter first_character(std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  std::size_t end = 0;
  UChar32 character = 0;
  U8_NEXT(bytes, end, text.size(), character);
  return {static_cast<char32_t>(character < 0 ? 0 : character), end, character >= 0};
}

std::size_t utf8_prefix(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const FirstCharacter first = first_character(text.substr(at));
    if (!first.is_valid) return at;
    at += first.bytes;
  }
  return text.size();
}

bool is_utf8(std::string_view text) { return utf8_prefix(text) == text.size(); }

void append_utf8(char32_t character, std::string& text) {
  std::uint8_t bytes[U8_MAX_LENGTH];
  std::size_t size = 0;
  U8_APPEND_UNSAFE(bytes, size, character);
  text.append(reinterpret_cast<const char*>(bytes), size);
}

}  // namespace common
