#include "common/json_token.hpp"

#include <algorithm>

#include "common/utf8.hpp"

namespace common {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits that `rest` begins with.
std::string_view take_digits(std::string_view& rest) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_digit);
  const auto size = static_cast<std::size_t>(end - rest.begin());
  const std::string_view digits = rest.substr(0, size);
  rest.remove_prefix(size);
  return digits;
}

bool take(std::string_view& rest, std::string_view any_of) {
  if (rest.empty() || any_of.find(rest.front()) == std::string_view::npos) return false;
  rest.remove_prefix(1);
  return true;
}

void set_integer(std::string_view digits, bool negative, JsonNumber& number) {
  const std::uint64_t limit = static_cast<std::uint64_t>(INT64_MAX) + (negative ? 1 : 0);
  std::uint64_t value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (limit - digit) / 10) {
      number.kind = JsonNumber::Kind::too_large;
      return;
    }
    value = value * 10 + digit;
  }
  number.value = static_cast<std::int64_t>(negative ? ~value + 1 : value);
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The four digits that `rest` begins with, or -1.
int hex4(std::string_view rest) {
  if (rest.size() < 4) return -1;
  int value = 0;
  for (const char c : rest.substr(0, 4)) {
    if (hex_digit(c) < 0) return -1;
    value = value * 16 + hex_digit(c);
  }
  return value;
}

// What "\\n" and its like stand for; 0 where there is no such escape.
char plain_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c == '"' || c == '\\' || c == '/' ? c : '\0';
  }
}

bool is_high(int unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low(int unit) { return unit >= 0xdc00 && unit < 0xe000; }

// Behind "\\u": one unit of UTF-16, or two that make a character.
std::string take_unicode(std::string_view& rest, std::string& decoded) {
  int unit = hex4(rest);
  if (unit < 0) return "an escape without four hexadecimal digits";
  const std::string spelt(rest.substr(0, 4));
  rest.remove_prefix(4);
  if (is_high(unit) || is_low(unit)) {
    const int low = rest.starts_with("\\u") ? hex4(rest.substr(2)) : -1;
    if (!is_high(unit) || !is_low(low))
      return "the lone surrogate \\u" + spelt + ", which is not a character and not valid in UTF-8,";
    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    rest.remove_prefix(6);
  }
  append_utf8(static_cast<char32_t>(unit), decoded);
  return {};
}

}  // namespace

std::string parse_number(std::string_view text, JsonNumber& number) {
  constexpr const char* k_no_digit = "a digit is missing in the number that begins here";
  number = {};
  number.text = text;
  const bool negative = take(text, "-");
  const std::string_view digits = take_digits(text);
  if (digits.empty()) return k_no_digit;
  if (digits.size() > 1 && digits.front() == '0') return "a number that begins with 0";
  set_integer(digits, negative, number);
  if (take(text, ".")) {
    number.kind = JsonNumber::Kind::real;
    if (take_digits(text).empty()) return k_no_digit;
  }
  if (take(text, "eE")) {
    number.kind = JsonNumber::Kind::real;
    (void)take(text, "+-");
    if (take_digits(text).empty()) return k_no_digit;
  }
  return text.empty() ? std::string() : "expected a number here";
}

std::string unescape(std::string_view text, std::string& decoded) {
  decoded.clear();
  if (!is_utf8(text)) return "bytes that are not UTF-8";
  for (;;) {
    const std::size_t slash = text.find('\\');
    decoded += text.substr(0, slash);
    if (slash == std::string_view::npos) return {};
    const char kind = text[slash + 1];
    text.remove_prefix(slash + 2);
    if (kind == 'u') {
      if (std::string why = take_unicode(text, decoded); !why.empty()) return why;
    } else if (const char c = plain_escape(kind); c != '\0') {
      decoded += c;
    } else {
      return "an unknown escape";
    }
  }
}

}  // namespace common
