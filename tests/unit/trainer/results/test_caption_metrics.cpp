#include "trainer/results/caption_metrics.hpp"
#include "trainer/results/ngram_metrics.hpp"

#include <cmath>
#include <fstream>

#include <doctest/doctest.h>

using namespace trainer;

namespace {

TokenisedPair tokens(const std::string& prediction, const std::vector<std::string>& references) {
  TokenisedPair pair{tokenise_caption(prediction), {}};
  for (const std::string& reference : references) pair.references.push_back(tokenise_caption(reference));
  return pair;
}

}  // namespace

TEST_CASE("normalising a caption gives the original's words") {
  CHECK(normalise_caption("A Dog's bark, two times!") == "a dogs bark 2 times");
  CHECK(normalise_caption("people\xE2\x80\x99s voices") == "peoples voices");
  CHECK(normalise_caption("don't") == "don t");
  CHECK(normalise_caption("Twenty-one \xEF\xBC\x91") == "20 1 1");  // a full-width digit, through NFKC
  CHECK(normalise_caption("caf\xC3\xA9") == "caf");
  CHECK(normalise_caption(" .,!") == "");
}

TEST_CASE("tokenising splits clitics and drops punctuation") {
  struct Case {
    const char* caption;
    Tokens expected;
  };
  const Case cases[] = {
      {"A Dog's bark, two times!", {"a", "dog", "'s", "bark", "two", "times"}},
      {"they'll cannot don't", {"they", "'ll", "can", "not", "do", "n't"}},
      {"a t-shirt at 2.5 feet, 1,000 birds (\"chirping\")",
       {"a", "t-shirt", "at", "2.5", "feet", "1,000", "birds", "-lrb-", "chirping", "-rrb-"}},
      {"water runs -- then stops...", {"water", "runs", "then", "stops"}},
      {"the dogs' bowls at 5 o'clock", {"the", "dogs", "bowls", "at", "5", "o'clock"}},
      {"rock & roll", {"rock", "&", "roll"}},
      {"'s", {"'s"}},
      {".", {}},
      {"'", {}},
      {"+.", {"+"}},
      {"\xF0\x9F\x98\x80", {}},
      {"\xC4\xB0stanbul's", {"i", "\xCC\x87", "stanbul", "'s"}},  // one letter, two in lower case
      {" \n", {}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.caption);
    CHECK(tokenise_caption(one.caption) == one.expected);
  }
}

TEST_CASE("captions are cut as the Penn Treebank tokeniser of coco-caption cuts them") {
  // tests/interop/trainer/ptb_tokens.py made it.
  std::ifstream file(SAFE_SOURCE_DIR "/tests/unit/trainer/results/ptb_tokens.tsv");
  std::size_t captions = 0;
  for (std::string line; std::getline(file, line); ++captions) {
    const std::size_t tab = line.find('\t');
    REQUIRE(tab != std::string::npos);
    CAPTURE(line);
    std::string own;
    for (const std::string& token : tokenise_caption(line.substr(0, tab)))
      own += (own.empty() ? "" : " ") + token;
    CHECK(own == line.substr(tab + 1));
  }
  CHECK(captions >= 200);
}

TEST_CASE("exact match and token F1 take the best reference") {
  const CaptionPair pair{"a dog barks twice", {"rain", "a dog barks loudly twice"}};
  CHECK(exact_match(pair) == 0);
  CHECK(token_f1(pair) == doctest::Approx(8.0 / 9).epsilon(1e-12));
  CHECK(exact_match({"Two dogs!", {"rain", "2 dogs"}}) == 1);
  CHECK(token_f1({"2 dogs", {"two dogs"}}) == 1);
}

TEST_CASE("token F1 counts a repeated word as often as the reference has it") {
  CHECK(token_f1({"dog dog dog", {"dog cat"}}) == doctest::Approx(0.4));
  CHECK(token_f1({"", {"dog"}}) == 0);
  CHECK(token_f1({"", {"!"}}) == 1);
}

TEST_CASE("BLEU has the published brevity penalty, over the corpus") {
  // Four of four words, three of three pairs, ...; 4 words where the closest reference has 5.
  const auto bleu = corpus_bleu({tokens("a dog barks twice", {"a dog barks twice loudly"})});
  for (int n = 0; n < 4; ++n)
    CHECK(*bleu[static_cast<std::size_t>(n)] == doctest::Approx(std::exp(1 - 5.0 / 4)));
  // Lengths add up before the penalty: the long clip makes up for the short one.
  const auto both = corpus_bleu({tokens("a b c", {"a b c d"}), tokens("e f g h i", {"e f g h"})});
  CHECK(*both[0] == doctest::Approx(7.0 / 8));
}

TEST_CASE(
    "BLEU clips a word at its most frequent reference and takes the closest length, ties to the shorter") {
  const auto bleu = corpus_bleu({tokens("the the the the", {"the cat", "the the dog", "a b c d e"})});
  CHECK(*bleu[0] == doctest::Approx(2.0 / 4));  // lengths 3 and 5 are as close: 3, so no penalty
  CHECK(*bleu[1] == doctest::Approx(std::sqrt(2.0 / 4 * 1.0 / 3)));
  CHECK(*bleu[2] == 0);
}

TEST_CASE("ROUGE-L is the F of the longest common subsequence with beta 1.2") {
  // LCS "a c e": precision 3/4, recall 3/5.
  const double p = 0.75, r = 0.6, b = 1.44;
  CHECK(rouge_l(tokens("a c x e", {"a b c d e"})) == doctest::Approx((1 + b) * p * r / (r + b * p)));
  // The best precision and the best recall may come from two references, as coco-caption has it.
  CHECK(rouge_l(tokens("x y", {"x y z w", "x"})) == doctest::Approx(1));
  CHECK(rouge_l(tokens("", {"a"})) == 0);
  CHECK(rouge_l(tokens("q", {"a"})) == 0);
}

TEST_CASE("CIDEr-D of a perfect set whose clips share no word is 10") {
  const auto scores = cider_d({tokens("a b c d", {"a b c d"}), tokens("e f g h", {"e f g h"})});
  REQUIRE(scores.size() == 2);
  CHECK(scores[0] == doctest::Approx(10));
  CHECK(scores[1] == doctest::Approx(10));
}

TEST_CASE("CIDEr-D gives an n-gram that every clip has no weight") {
  // "noise" is in both clips: of the single words only "a" counts, and the two are as long.
  const auto scores = cider_d({tokens("a noise", {"a noise"}), tokens("noise noise", {"b noise"})});
  // Clip 0: orders 1 and 2 match fully, orders 3 and 4 do not exist: 10 * 2 / 4.
  CHECK(scores[0] == doctest::Approx(5));
  CHECK(scores[1] == 0);
}

TEST_CASE("CIDEr-D falls with the length difference as a Gaussian of sigma 6 over bigrams") {
  const auto scores = cider_d({tokens("a b c", {"a"}), tokens("z", {"z"})});
  // One word of three, weights all log 2: cosine 1/sqrt(3); two bigrams against none.
  CHECK(scores[0] == doctest::Approx(10 / std::sqrt(3.0) / 4 * std::exp(-4.0 / 72)));
}

TEST_CASE("what cannot be computed is nothing") {
  const CaptionMetrics empty = measure_captions({});
  CHECK_FALSE(empty.token_f1.has_value());
  CHECK_FALSE(empty.exact_match.has_value());
  CHECK_FALSE(empty.bleu[0].has_value());
  CHECK_FALSE(empty.rouge_l.has_value());
  CHECK_FALSE(empty.cider_d.has_value());
  const CaptionMetrics one = measure_captions({{"a dog", {"a dog"}}});
  CHECK(one.token_f1 == 1);
  CHECK(one.bleu[1] == 1);
  CHECK(one.bleu[3] == 0);
  CHECK_FALSE(one.cider_d.has_value());
}
