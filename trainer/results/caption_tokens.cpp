#include "trainer/results/caption_tokens.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "trainer/results/unicode_text.hpp"

namespace trainer {
namespace {

using Text = std::u32string_view;

bool is_word(char32_t c) { return is_letter_or_digit(c); }
bool is_capital(char32_t c) { return c >= U'A' && c <= U'Z'; }
bool is_one_of(char32_t c, Text set) { return set.find(c) != Text::npos; }

// Where each may be followed by a dot of its own. Of the Penn Treebank's tokeniser, as it was heard to do.
constexpr std::array<Text, 70> k_abbreviations = {
    U"adm", U"al",    U"apr", U"assn", U"asst", U"aug",  U"ave",  U"bldg",  U"blvd",   U"bros",
    U"cf",  U"co",    U"col", U"corp", U"cpl",  U"capt", U"dec",  U"dept",  U"dr",     U"esq",
    U"est", U"etc",   U"feb", U"fri",  U"ft",   U"gen",  U"gov",  U"hon",   U"inc",    U"insp",
    U"jan", U"jr",    U"jul", U"jun",  U"lt",   U"ltd",  U"maj",  U"mar",   U"messrs", U"mme",
    U"mon", U"mr",    U"mrs", U"ms",   U"mt",   U"nov",  U"oct",  U"ph.d",  U"pres",   U"prof",
    U"pvt", U"rd",    U"rep", U"rev",  U"sen",  U"sep",  U"sept", U"sgt",   U"sr",     U"st",
    U"thu", U"thurs", U"tue", U"tues", U"univ", U"vs",   U"wed",  U"messr", U"mlle",   U"msgr"};

const std::map<Text, std::array<const char*, 2>> k_two_words = {
    {U"cannot", {"can", "not"}}, {U"gonna", {"gon", "na"}}, {U"gotta", {"got", "ta"}},
    {U"wanna", {"wan", "na"}},   {U"lemme", {"lem", "me"}}, {U"gimme", {"gim", "me"}},
    {U"'tis", {"'t", "is"}},     {U"'twas", {"'t", "was"}},
};

// Words that begin with a mark of omission; any other quote before a word is one.
constexpr std::array<Text, 9> k_begin_with_omission = {U"'tis",   U"'twas", U"'n'",   U"'n", U"'em",
                                                       U"'cause", U"'til",  U"'till", U"'s"};

constexpr std::array<Text, 7> k_clitics = {U"n't", U"'s", U"'re", U"'ve", U"'ll", U"'d", U"'m"};

// One character that stands for another word.
const std::map<char32_t, const char*> k_written_out = {
    {U'(', "-lrb-"},      {U')', "-rrb-"},    {U'[', "-lsb-"},    {U']', "-rsb-"},
    {U'{', "-lcb-"},      {U'}', "-rcb-"},    {U'\u00A3', "#"},   {U'\u20AC', "$"},
    {U'\u00A2', "cents"}, {U'\u00BD', "1/2"}, {U'\u00BC', "1/4"}, {U'\u00BE', "3/4"},
};

// What coco-caption drops after tokenising, and what the tokeniser cannot read: signs beyond the letters.
bool is_dropped(char32_t c) {
  constexpr char32_t k_first_arrow = U'\u2190';
  return is_one_of(c, U"'\"`\u2018\u2019\u201C\u201D\u2026\u2013\u2014.?!,:-;") || c >= k_first_arrow;
}

template <typename List>
bool contains(const List& list, Text word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// Marks that stay inside a word: "t-shirt", "o'clock", "and/or", "e.g", "2.5", "1,000", "7:30", "R&B".
bool binds(Text text, std::size_t at) {
  if (at == 0 || at + 1 >= text.size() || !is_word(text[at - 1]) || !is_word(text[at + 1])) return false;
  const char32_t before = text[at - 1], after = text[at + 1];
  if (is_one_of(text[at], U"-'./_@")) return true;
  if (is_one_of(text[at], U",:")) return is_digit(before) && is_digit(after);
  return text[at] == U'&' && is_capital(before) && is_capital(after);
}

bool is_in_word(Text text, std::size_t at) {
  return at < text.size() && (is_word(text[at]) || binds(text, at));
}

std::size_t end_of_word(Text text, std::size_t at) {
  while (is_in_word(text, at)) ++at;
  return at;
}

std::size_t end_of_run(Text text, std::size_t at, Text of) {
  while (at < text.size() && is_one_of(text[at], of)) ++at;
  return at;
}

// "e.g", "p.m", "c": single letters with dots between them.
bool is_initials(Text word) {
  for (std::size_t i = 0; i < word.size(); ++i)
    if (i % 2 == 0 ? !is_word(word[i]) || is_digit(word[i]) : word[i] != U'.') return false;
  return word.size() % 2 == 1;
}

// The dot behind `word`, which ends at `end`, is its own and ends no sentence.
bool keeps_dot(Text word, Text text, std::size_t end) {
  if (end >= text.size() || text[end] != U'.' || end_of_run(text, end, U".") > end + 1) return false;
  const bool before_number = end + 2 < text.size() && text[end + 1] == U' ' && is_digit(text[end + 2]);
  return is_initials(word) || contains(k_abbreviations, word) ||
         (before_number && (word == U"no" || word == U"fig"));
}

void add_word(Text word, Tokens& tokens) {
  for (const Text clitic : k_clitics) {
    if (word.size() <= clitic.size() || !word.ends_with(clitic)) continue;
    add_word(word.substr(0, word.size() - clitic.size()), tokens);
    tokens.push_back(to_utf8(clitic));
    return;
  }
  if (const auto two = k_two_words.find(word); two != k_two_words.end()) {
    tokens.insert(tokens.end(), two->second.begin(), two->second.end());
    return;
  }
  if (word.size() > 2 && word.starts_with(U"y'")) {
    tokens.emplace_back("y'");
    add_word(word.substr(2), tokens);
    return;
  }
  tokens.push_back(to_utf8(word));
}

// Where the digits of "44.1khz", "7:30am" and "-5b" end; 0 where the word goes on as it is, as "10kg" and
// "5.1-way".
std::size_t end_of_number(Text word) {
  std::size_t end = end_of_run(word, 0, U"+-");
  const bool has_sign = end > 0;
  bool has_mark = false;
  for (; end < word.size() && (is_digit(word[end]) || is_one_of(word[end], U".,:")); ++end)
    has_mark = has_mark || !is_digit(word[end]);
  if (end == word.size() || end == 0 || !is_word(word[end])) return 0;
  return has_mark || has_sign ? end : 0;
}

class Reader {
 public:
  explicit Reader(std::string_view caption) : text_(code_points(caption)) {
    for (char32_t& c : text_)
      if (c == U'\u2018' || c == U'\u2019') c = U'\'';
    lower_ = lower(text_);
    // A letter that becomes two in lower case has lost its place; no rule needs one.
    if (lower_.size() != text_.size()) text_ = lower_;
  }

  Tokens read() {
    for (std::size_t at = 0; at < text_.size();) at = read_at(at);
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] bool begins_number(std::size_t at) const {
    const std::size_t digits = end_of_run(text_, at, U".") > at ? at : at + 1;
    if (at > 0 && is_word(text_[at - 1])) return false;
    if (text_[at] == U'.') return at + 1 < text_.size() && is_digit(text_[at + 1]);
    return digits < text_.size() &&
           (is_digit(text_[digits]) ||
            (text_[digits] == U'.' && digits + 1 < text_.size() && is_digit(text_[digits + 1])));
  }

  std::size_t read_at(std::size_t at) {
    const char32_t c = text_[at];
    if (is_space(c)) return at + 1;
    if (is_word(c)) return read_word(at, at);
    if (is_one_of(c, U"+-.") && begins_number(at)) return read_word(at, at + 1);
    if (c == U'\'')
      if (const std::size_t end = end_of_omission(at); end > at) return take(at, end);
    if (is_one_of(c, U"#@") && at + 1 < text_.size() && is_word(text_[at + 1]) && !is_digit(text_[at + 1]) &&
        (at == 0 || !is_word(text_[at - 1])))
      return take(at, end_of_word(text_, at + 1));
    if (c == U'<')
      if (const std::size_t end = end_of_word(text_, at + 1);
          end > at + 1 && end < text_.size() && text_[end] == U'>')
        return take(at, end + 1);
    for (const Text marks : {Text(U"!?"), Text(U"*"), Text(U"_")})
      if (const std::size_t end = end_of_run(text_, at, marks); end > at + 1) return take(at, end);
    if (const auto word = k_written_out.find(c); word != k_written_out.end())
      tokens_.emplace_back(word->second);
    else if (!is_dropped(c))
      tokens_.push_back(to_utf8(Text(lower_).substr(at, 1)));
    return at + 1;
  }

  // A word that begins at `begin` with a sign or a letter, and has letters from `at` on.
  std::size_t read_word(std::size_t begin, std::size_t at) {
    std::size_t end = end_of_word(text_, end_of_run(text_, at, U"."));
    const Text word = Text(lower_).substr(begin, end - begin);
    if (keeps_dot(word, text_, end)) return take(begin, end + 1);
    const std::size_t number = end_of_number(word);
    if (number > 0) tokens_.push_back(to_utf8(word.substr(0, number)));
    add_word(word.substr(number), tokens_);
    return end;
  }

  // Behind the word that begins with the quote at `at`: "'em", "'90s"; `at` where it is a quote.
  [[nodiscard]] std::size_t end_of_omission(std::size_t at) const {
    if (at > 0 && is_word(text_[at - 1])) return at;
    std::size_t end = at + 1;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    if (end > at + 1) {
      if (end < text_.size() && lower_[end] == U's') ++end;
      return is_in_word(text_, end) ? at : end;
    }
    end = end_of_word(text_, at + 1);
    const Text with_quote = Text(lower_).substr(at, end + 1 - at);
    if (with_quote == U"'n'") return end + 1;
    return contains(k_begin_with_omission, Text(lower_).substr(at, end - at)) ? end : at;
  }

  std::size_t take(std::size_t begin, std::size_t end) {
    const Text word = Text(lower_).substr(begin, end - begin);
    if (k_two_words.contains(word))
      add_word(word, tokens_);
    else
      tokens_.push_back(to_utf8(word));
    return end;
  }

  std::u32string text_, lower_;
  Tokens tokens_;
};

}  // namespace

Tokens tokenise_caption(std::string_view caption) { return Reader(caption).read(); }

}  // namespace trainer
