#include "common/utf8.hpp"

#include <unicode/utf8.h>

#include <cstdint>

namespace common {

bool is_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const std::size_t size = text.size();
  for (std::size_t i = 0; i < size;) {
    UChar32 character = 0;
    U8_NEXT(bytes, i, size, character);
    if (character < 0) return false;
  }
  return true;
}

void append_utf8(char32_t character, std::string& text) {
  std::uint8_t bytes[U8_MAX_LENGTH];
  std::size_t size = 0;
  U8_APPEND_UNSAFE(bytes, size, character);
  text.append(reinterpret_cast<const char*>(bytes), size);
}

}  // namespace common
