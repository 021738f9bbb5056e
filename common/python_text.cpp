#include "common/python_text.hpp"

#include <unicode/ucasemap.h>

#include <algorithm>
#include <memory>

#include "common/error.hpp"

namespace common {

bool is_python_space(char32_t c) {
  if (c <= 0x20) return c == 0x20 || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f);
  switch (c) {
    case 0x85:
    case 0xa0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202f:
    case 0x205f:
    case 0x3000:
      return true;
    default:
      return c >= 0x2000 && c <= 0x200a;
  }
}

namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

char32_t decode(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  switch (character.size()) {
    case 1:
      return byte(0);
    case 2:
      return static_cast<char32_t>((byte(0) & 0x1f) << 6 | (byte(1) & 0x3f));
    case 3:
      return static_cast<char32_t>((byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f));
    default:
      return 0x10ffff;  // no white space lies beyond the first plane
  }
}

struct CloseMap {
  void operator()(UCaseMap* map) const { ucasemap_close(map); }
};

}  // namespace

std::string_view python_strip(std::string_view text) {
  while (!text.empty()) {
    std::size_t size = 1;
    while (size < text.size() && continues(text[size])) ++size;
    if (!is_python_space(decode(text.substr(0, size)))) break;
    text.remove_prefix(size);
  }
  while (!text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && continues(text[begin])) --begin;
    if (!is_python_space(decode(text.substr(begin)))) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

std::string python_lower(std::string_view text) {
  std::string lower(text);
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
  }
  UErrorCode status = U_ZERO_ERROR;
  // The root locale: a Turkish or Lithuanian one has rules of its own, which Python never applies.
  const std::unique_ptr<UCaseMap, CloseMap> map(ucasemap_open("", 0, &status));
  ENSURE(U_SUCCESS(status));
  // No lower case is longer than three times its upper case in UTF-8.
  lower.resize(3 * text.size());
  const std::int32_t size =
      ucasemap_utf8ToLower(map.get(), lower.data(), static_cast<std::int32_t>(lower.size()), text.data(),
                           static_cast<std::int32_t>(text.size()), &status);
  ENSURE(U_SUCCESS(status));
  lower.resize(static_cast<std::size_t>(size));
  return lower;
}

}  // namespace common
