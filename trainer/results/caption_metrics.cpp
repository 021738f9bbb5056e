#include "trainer/results/caption_metrics.hpp"

#include <algorithm>
#include <map>

#include "common/error.hpp"
#include "trainer/results/ngram_metrics.hpp"
#include "trainer/results/unicode_text.hpp"

namespace trainer {
namespace {

std::string number_word(const std::string& word) {
  static const std::map<std::string, std::string> table = [] {
    constexpr const char* names[] = {"zero",     "one",      "two",      "three",   "four",    "five",
                                     "six",      "seven",    "eight",    "nine",    "ten",     "eleven",
                                     "twelve",   "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
                                     "eighteen", "nineteen", "twenty"};
    std::map<std::string, std::string> digits;
    for (std::size_t i = 0; i < std::size(names); ++i) digits[names[i]] = std::to_string(i);
    return digits;
  }();
  const auto found = table.find(word);
  return found == table.end() ? word : found->second;
}

bool is_ascii_word(char32_t c) { return (c >= U'a' && c <= U'z') || (c >= U'0' && c <= U'9'); }

void straighten_apostrophes(std::u32string& text) {
  for (char32_t& c : text)
    if (c == U'\u2018' || c == U'\u2019') c = U'\'';
}

Tokens normalised_words(std::string_view caption) {
  std::u32string text = nfkc(code_points(caption));
  straighten_apostrophes(text);
  text = lower(text);
  std::u32string kept;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == U'\'' && i + 1 < text.size() && text[i + 1] == U's') continue;
    kept += is_ascii_word(text[i]) ? text[i] : U' ';
  }
  Tokens words;
  for (const std::u32string& word : split(kept)) words.push_back(number_word(to_utf8(word)));
  return words;
}

std::string joined(const Tokens& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

double f1_of(const Tokens& prediction, const Tokens& reference) {
  if (prediction.empty() && reference.empty()) return 1;
  std::map<std::string, std::int64_t> left;
  for (const std::string& word : reference) ++left[word];
  std::int64_t common_words = 0;
  for (const std::string& word : prediction)
    if (left[word]-- > 0) ++common_words;
  return 2.0 * static_cast<double>(common_words) / static_cast<double>(prediction.size() + reference.size());
}

std::optional<double> mean_of(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

std::string normalise_caption(std::string_view caption) { return joined(normalised_words(caption)); }

double exact_match(const CaptionPair& pair) {
  const std::string said = normalise_caption(pair.prediction);
  const auto same = [&](const std::string& reference) { return normalise_caption(reference) == said; };
  return std::any_of(pair.references.begin(), pair.references.end(), same) ? 1 : 0;
}

double token_f1(const CaptionPair& pair) {
  const Tokens said = normalised_words(pair.prediction);
  double best = 0;
  for (const std::string& reference : pair.references)
    best = std::max(best, f1_of(said, normalised_words(reference)));
  return best;
}

double rouge_l(const CaptionPair& pair) {
  TokenisedPair tokenised{tokenise_caption(pair.prediction), {}};
  for (const std::string& reference : pair.references)
    tokenised.references.push_back(tokenise_caption(reference));
  return rouge_l(tokenised);
}

CaptionMetrics measure_captions(const std::vector<CaptionPair>& pairs) {
  if (pairs.empty()) return {};
  std::vector<double> exact, f1, rouge;
  std::vector<TokenisedPair> tokenised;
  for (const CaptionPair& pair : pairs) {
    ENSURE(!pair.references.empty());
    exact.push_back(exact_match(pair));
    f1.push_back(token_f1(pair));
    TokenisedPair tokens{tokenise_caption(pair.prediction), {}};
    for (const std::string& reference : pair.references)
      tokens.references.push_back(tokenise_caption(reference));
    rouge.push_back(rouge_l(tokens));
    tokenised.push_back(std::move(tokens));
  }
  return {mean_of(exact), mean_of(f1), corpus_bleu(tokenised), mean_of(rouge), mean_of(cider_d(tokenised))};
}

}  // namespace trainer
