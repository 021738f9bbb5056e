#include "trainer/results/vqa_accuracy.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "trainer/results/unicode_text.hpp"

namespace trainer {
namespace {

// The evaluator's table of contractions is these families: every stem with `written` becomes the stem with
// `spelt`. Its entries with a capital I are left out: they are looked up after lower-casing and never match.
struct Family {
  const char* written;
  const char* spelt;
  const char* stems;
};
constexpr const char* k_have_stems = "could had might should would";
constexpr const char* k_would_have_stems = "he it she somebody someone something there they we who you";
constexpr Family k_families[] = {
    {"nt", "n't",
     "ai are ca could did does do had has have is might must need ought sha should was were wo would"},
    {"ve", "'ve", "could might must not should they we what where who would you"},
    {"n'tve", "n't've", k_have_stems},
    {"nt've", "n't've", k_have_stems},
    {"d", "'d", "he how it someone something there they where who you"},
    {"d've", "'d've", k_would_have_stems},
    {"'dve", "'d've", k_would_have_stems},
    {"ll", "'ll", "how it somebody someone something they what who why you"},
    {"s", "'s", "he how somebody someone that there what when where who why"},
    {"re", "'re", "there they what why you"},
};
// The odd ones; "somebody'd" loses its apostrophe there, and so it does here.
constexpr std::pair<const char*, const char*> k_single[] = {
    {"maam", "ma'am"},           {"oclock", "o'clock"},       {"twas", "'twas"},
    {"ow's'at", "'ow's'at"},     {"'ows'at", "'ow's'at"},     {"'ow'sat", "'ow's'at"},
    {"somebody'd", "somebodyd"}, {"yall", "y'all"},           {"yall'll", "y'all'll"},
    {"y'allll", "y'all'll"},     {"yall'd've", "y'all'd've"}, {"y'alld've", "y'all'd've"},
    {"y'all'dve", "y'all'd've"},
};

std::map<std::string, std::string> make_contractions() {
  std::map<std::string, std::string> table(std::begin(k_single), std::end(k_single));
  for (const Family& family : k_families) {
    std::istringstream stems(family.stems);
    for (std::string stem; stems >> stem;) table[stem + family.written] = stem + family.spelt;
  }
  return table;
}

const std::map<std::string, std::string>& contractions() {
  static const std::map<std::string, std::string> table = make_contractions();
  return table;
}

std::string number_word(const std::string& word) {
  static const std::map<std::string, std::string> table = {
      {"none", "0"}, {"zero", "0"}, {"one", "1"},   {"two", "2"},   {"three", "3"}, {"four", "4"},
      {"five", "5"}, {"six", "6"},  {"seven", "7"}, {"eight", "8"}, {"nine", "9"},  {"ten", "10"}};
  const auto found = table.find(word);
  return found == table.end() ? word : found->second;
}

bool has_digit_comma_digit(std::u32string_view text) {
  for (std::size_t i = 1; i + 1 < text.size(); ++i)
    if (text[i] == U',' && is_digit(text[i - 1]) && is_digit(text[i + 1])) return true;
  return false;
}

bool touches_a_space(std::u32string_view text, char32_t mark) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == mark && ((i > 0 && text[i - 1] == U' ') || (i + 1 < text.size() && text[i + 1] == U' ')))
      return true;
  return false;
}

// Whether a mark is deleted or becomes a space depends on the text as it came, not on what earlier marks
// left.
std::u32string strip_punctuation(std::u32string_view text) {
  constexpr std::u32string_view marks = U";/[]\"{}()=+\\_-><@`,?!";
  std::set<char32_t> deleted;
  const bool all = has_digit_comma_digit(text);
  for (const char32_t mark : marks)
    if (all || touches_a_space(text, mark)) deleted.insert(mark);
  std::u32string out;
  for (const char32_t c : text) {
    if (marks.find(c) == std::u32string_view::npos)
      out += c;
    else if (!deleted.contains(c))
      out += U' ';
  }
  return out;
}

// The evaluator means to keep a dot between digits but mistypes its look-behind, so only a digit after the
// dot keeps it; and it passes a flag (32) where re.sub takes a count.
std::u32string strip_periods(std::u32string_view text) {
  constexpr int limit = 32;
  std::u32string out;
  int deleted = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool kept = text[i] != U'.' || (i + 1 < text.size() && is_digit(text[i + 1])) || deleted == limit;
    if (kept)
      out += text[i];
    else
      ++deleted;
  }
  return out;
}

std::u32string cleaned(std::string_view answer) {
  std::u32string text = code_points(answer);
  std::replace(text.begin(), text.end(), U'\n', U' ');
  std::replace(text.begin(), text.end(), U'\t', U' ');
  return std::u32string(strip(text));
}

std::string normalise(std::u32string_view text) {
  std::string out;
  for (const std::u32string& found : split(lower(strip_periods(strip_punctuation(text))))) {
    std::string word = number_word(to_utf8(found));
    if (word == "a" || word == "an" || word == "the") continue;
    if (const auto spelt = contractions().find(word); spelt != contractions().end()) word = spelt->second;
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

}  // namespace

std::string normalise_vqa_answer(std::string_view answer) { return normalise(cleaned(answer)); }

double leave_one_out_accuracy(std::int64_t matches, std::int64_t answers) {
  if (answers == 0) return 0;
  if (answers < 4) return static_cast<double>(matches) / static_cast<double>(answers);
  // Of the leave-one-out sets, `matches` have lost a match and the others none; in thirds, to round only
  // once.
  const std::int64_t lost = matches == 0 ? 0 : matches * std::min<std::int64_t>(3, matches - 1);
  const std::int64_t thirds = lost + (answers - matches) * std::min<std::int64_t>(3, matches);
  return static_cast<double>(thirds) / static_cast<double>(3 * answers);
}

double vqa_accuracy(std::string_view prediction, const std::vector<std::string>& answers,
                    AnswerNormalisation normalisation) {
  const std::u32string said = cleaned(prediction);
  std::vector<std::u32string> given;
  for (const std::string& answer : answers) given.push_back(cleaned(answer));
  const bool unanimous = std::set<std::u32string>(given.begin(), given.end()).size() <= 1;
  std::int64_t matches = 0;
  if (unanimous && normalisation == AnswerNormalisation::official) {
    matches = std::count(given.begin(), given.end(), said);
  } else {
    const std::string wanted = normalise(said);
    matches = std::count_if(given.begin(), given.end(),
                            [&](const std::u32string& answer) { return normalise(answer) == wanted; });
  }
  return leave_one_out_accuracy(matches, static_cast<std::int64_t>(answers.size()));
}

std::string answer_type_of(std::string_view majority_answer) {
  const std::string answer = normalise_vqa_answer(majority_answer);
  if (answer == "yes" || answer == "no") return "yes/no";
  bool digits = false;
  for (const char c : answer) {
    if (c >= '0' && c <= '9')
      digits = true;
    else if (c != '.')
      return "other";
  }
  return digits ? "number" : "other";
}

}  // namespace trainer
