#include "trainer/results/answer_text.hpp"

#include "trainer/results/unicode_text.hpp"

namespace trainer {
namespace {

std::u32string collapsed(std::u32string_view text) {
  std::u32string out;
  for (const std::u32string& word : split(text)) {
    if (!out.empty()) out += U' ';
    out += word;
  }
  return out;
}

// `at` is a dot before white space or the end. It belongs to an abbreviation where its word has another dot.
bool is_abbreviation(std::u32string_view text, std::size_t at) {
  for (std::size_t i = at; i-- > 0 && text[i] != U' ';)
    if (text[i] == U'.') return i + 1 < at;
  return false;
}

std::u32string_view first_sentence(std::u32string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool at_word_end = i + 1 == text.size() || text[i + 1] == U' ';
    const bool mark = text[i] == U'?' || text[i] == U'!' || (text[i] == U'.' && !is_abbreviation(text, i));
    // A text that begins with a mark would otherwise leave nothing.
    if (at_word_end && mark && i > 0) return text.substr(0, i);
  }
  return text;
}

}  // namespace

std::string caption_text(std::string_view generated) { return to_utf8(collapsed(code_points(generated))); }

std::string answer_text(std::string_view generated) {
  const std::u32string text = code_points(generated);
  std::u32string_view rest = strip(text);
  const std::u32string line = collapsed(rest.substr(0, rest.find_first_of(U"\n\r")));
  return to_utf8(strip(first_sentence(line)));
}

}  // namespace trainer
