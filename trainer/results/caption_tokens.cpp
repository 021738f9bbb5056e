#include "trainer/results/caption_tokens.hpp"

#include <array>

#include "trainer/results/unicode_text.hpp"

namespace trainer {
namespace {

bool is_word(char32_t c) { return is_letter_or_digit(c); }

// Marks that stay inside a word when both neighbours are words (or digits, for a dot or a comma): "t-shirt",
// "o'clock", "2.5", "1,000".
bool binds(std::u32string_view text, std::size_t at) {
  if (at == 0 || at + 1 >= text.size()) return false;
  const char32_t before = text[at - 1], after = text[at + 1];
  if (text[at] == U'-' || text[at] == U'\'') return is_word(before) && is_word(after);
  if (text[at] == U'.' || text[at] == U',') return is_digit(before) && is_digit(after);
  return false;
}

// What coco-caption drops after tokenising, and every bracket and quote.
bool is_dropped(char32_t c) {
  constexpr std::u32string_view dropped = U"'\"`\u2018\u2019\u201C\u201D\u2026\u2013\u2014()[]{}.?!,:-;";
  return dropped.find(c) != std::u32string_view::npos;
}

bool ends_with(std::u32string_view text, std::u32string_view end) {
  return text.size() > end.size() && text.substr(text.size() - end.size()) == end;
}

void add_word(std::u32string_view word, Tokens& tokens) {
  constexpr std::array<std::u32string_view, 7> clitics = {U"n't", U"'s", U"'re", U"'ve",
                                                          U"'ll", U"'d", U"'m"};
  for (const std::u32string_view clitic : clitics) {
    if (!ends_with(word, clitic)) continue;
    add_word(word.substr(0, word.size() - clitic.size()), tokens);
    tokens.push_back(to_utf8(clitic));
    return;
  }
  if (word == U"cannot") {
    tokens.insert(tokens.end(), {"can", "not"});
    return;
  }
  tokens.push_back(to_utf8(word));
}

}  // namespace

Tokens tokenise_caption(std::string_view caption) {
  std::u32string text = lower(code_points(caption));
  for (char32_t& c : text)
    if (c == U'\u2018' || c == U'\u2019') c = U'\'';
  Tokens tokens;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && (is_word(text[i]) || binds(text, i))) continue;
    if (i > begin) add_word(std::u32string_view(text).substr(begin, i - begin), tokens);
    if (i < text.size() && !is_space(text[i]) && !is_dropped(text[i]))
      tokens.push_back(to_utf8(std::u32string_view(text).substr(i, 1)));
    begin = i + 1;
  }
  return tokens;
}

}  // namespace trainer
