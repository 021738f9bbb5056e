// The two tokens of JSON that have a grammar of their own, numbers and texts: RFC 8259, sections 6 and 7.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace common {

// The first byte from `at` on that does not simply stand for itself in a text: a quote, a backslash, a
// control character or one beyond ASCII. Eight bytes at a time (Mycroft's test for a zero byte, exact for the
// lowest): most of a table is short texts, and this decides how fast it is read. There must be such a byte,
// and as many behind it as are named below must be readable.
inline constexpr std::size_t k_plain_end_reads_on_bytes = sizeof(std::uint64_t);
[[nodiscard]] inline const char* plain_end(const char* at) {
  if constexpr (std::endian::native == std::endian::little) {
    constexpr std::uint64_t k_ones = 0x0101010101010101U;
    for (;; at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, sizeof word);
      const std::uint64_t quote = word ^ (k_ones * '"');
      const std::uint64_t slash = word ^ (k_ones * '\\');
      const std::uint64_t stops =
          (((quote - k_ones) & ~quote) | ((slash - k_ones) & ~slash) | (word - k_ones * 0x20) | word) &
          (k_ones * 0x80);
      if (stops != 0) return at + std::countr_zero(stops) / 8;
    }
  } else {
    while (*at != '"' && *at != '\\' && static_cast<unsigned char>(*at) - 0x20U < 0x60U) ++at;
    return at;
  }
}

struct JsonNumber {
  enum class Kind { integer, too_large, real };  // too_large: an integer beyond 64 bits with a sign
  Kind kind = Kind::integer;
  std::int64_t value = 0;   // of an integer
  std::string_view text{};  // as it stands in the document
};

[[nodiscard]] inline bool may_be_in_number(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}
// Empty where all of `text` is a number, otherwise the reason why not.
[[nodiscard]] std::string parse_number(std::string_view text, JsonNumber& number);

// What stands between the quotes, without control characters, as UTF-8. Empty, or the reason why it is no
// text.
[[nodiscard]] std::string unescape(std::string_view text, std::string& decoded);

}  // namespace common
