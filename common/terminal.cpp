#include "common/terminal.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "common/utf8.hpp"

namespace common {
namespace {

enum class Lines { one, many };

// Of Unicode's Bidi_Control (embeddings, overrides, isolates, marks), and the separators of lines and
// paragraphs.
bool changes_direction(char32_t c) {
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f ||
         c == 0x061c;
}

bool is_acted_on(char32_t c) {
  const bool is_control = c < 0x20 || (c >= 0x7f && c < 0xa0);
  const bool is_separator = c == 0x2028 || c == 0x2029;
  return is_control || is_separator || changes_direction(c) || c == 0xfeff;
}

std::string escape(std::string_view text, Lines lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const FirstCharacter first = first_character(text);
    const std::string_view spelt = text.substr(0, first.bytes);
    text.remove_prefix(first.bytes);
    const char32_t c = first.value;
    const bool stays = lines == Lines::many && (c == '\n' || c == '\t' || c == '\\');
    if (!first.is_valid)
      for (const char byte : spelt) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    else if (stays || (c != '\\' && !is_acted_on(c)))
      out += spelt;
    else
      out += fmt::format(fmt::runtime(c < 0x100 ? "\\x{:02x}" : "\\u{:04x}"), static_cast<std::uint32_t>(c));
  }
  return out;
}

}  // namespace

std::string escape_for_terminal(std::string_view text) { return escape(text, Lines::one); }
std::string escape_message(std::string_view text) { return escape(text, Lines::many); }

void print_line(std::FILE* to, std::string_view text) {
  const std::string line = escape_message(text) + "\n";
  (void)std::fwrite(line.data(), 1, line.size(), to);
}

}  // namespace common
