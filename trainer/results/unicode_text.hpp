// Text as CPython sees it: code points, its white space, its lower(). The evaluators whose behaviour is
// repeated here are Python programs, and generated text may hold anything a byte-level vocabulary can spell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trainer {

// Every ill-formed byte sequence becomes U+FFFD, so the result is always text.
[[nodiscard]] std::u32string code_points(std::string_view utf8);
[[nodiscard]] std::string to_utf8(std::u32string_view text);

// str.isspace, re's \d, str.lower, unicodedata.normalize("NFKC", ...).
[[nodiscard]] bool is_space(char32_t c);
[[nodiscard]] bool is_digit(char32_t c);
[[nodiscard]] bool is_letter_or_digit(char32_t c);
[[nodiscard]] std::u32string lower(std::u32string_view text);
[[nodiscard]] std::u32string nfkc(std::u32string_view text);

// str.split(): no empty words.
[[nodiscard]] std::vector<std::u32string> split(std::u32string_view text);
// str.strip().
[[nodiscard]] std::u32string_view strip(std::u32string_view text);

}  // namespace trainer
