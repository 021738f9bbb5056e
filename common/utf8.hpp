// UTF-8 as Unicode defines it: no surrogates, nothing beyond U+10FFFF, no character in a longer form than
// needed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace common {

[[nodiscard]] bool is_utf8(std::string_view text);
// What a text that is not empty begins with: a character, or bytes that are none.
struct FirstCharacter {
  char32_t value = 0;
  std::size_t bytes = 1;
  bool is_valid = false;
};
[[nodiscard]] FirstCharacter first_character(std::string_view text);
// How many bytes `text` begins with that are.
[[nodiscard]] std::size_t utf8_prefix(std::string_view text);
// `character` is no surrogate.
void append_utf8(char32_t character, std::string& text);

}  // namespace common
