// UTF-8 as Unicode defines it: no surrogates, nothing beyond U+10FFFF, no character in a longer form than
// needed.
#pragma once

#include <string>
#include <string_view>

namespace common {

[[nodiscard]] bool is_utf8(std::string_view text);
// `character` is no surrogate.
void append_utf8(char32_t character, std::string& text);

}  // namespace common
