// Captions against references, without downloads: exact match, token F1, BLEU-1..4, ROUGE-L and CIDEr-D. A
// metric that cannot be computed is nothing, never 0 and never replaced by another one. Two tokenisations, as
// their sources have them: `normalise_caption` is the Python original's (exact match, token F1);
// `tokenise_caption` is a native stand-in for the Penn Treebank tokeniser (BLEU, ROUGE-L, CIDEr-D).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trainer {

using Tokens = std::vector<std::string>;

// The original's: curly apostrophes straight, lower case, 's -> s, everything else that is not a-z 0-9 a
// space, number words zero..twenty as digits. "A Dog's bark, two times!" -> "a dogs bark 2 times".
[[nodiscard]] std::string normalise_caption(std::string_view caption);

// Lower case, clitics split off (n't 's 're 've 'll 'd 'm), cannot -> can not, punctuation split and dropped.
[[nodiscard]] Tokens tokenise_caption(std::string_view caption);

// One generated caption and what people wrote about the same clip (at least one).
struct CaptionPair {
  std::string prediction;
  std::vector<std::string> references;
};

// 1 where the normalised prediction is one of the normalised references, otherwise 0.
[[nodiscard]] double exact_match(const CaptionPair& pair);
// F1 of the multisets of normalised words; the best over the references. Two empty texts score 1.
[[nodiscard]] double token_f1(const CaptionPair& pair);
// Longest common subsequence, beta 1.2; best precision and best recall over the references (Lin 2004, as
// coco-caption computes it). 0 where either side has no token.
[[nodiscard]] double rouge_l(const CaptionPair& pair);

struct CaptionMetrics {
  std::optional<double> exact_match, token_f1;  // means
  std::array<std::optional<double>, 4>
      bleu;                       // BLEU-1..4, over the corpus, brevity penalty, closest reference length
  std::optional<double> rouge_l;  // mean
  std::optional<double> cider_d;  // mean, 10 for a perfect set; needs two clips or more
};

[[nodiscard]] CaptionMetrics measure_captions(const std::vector<CaptionPair>& pairs);

// Over tokens already made, so that a peer can be fed the same ones. Same order, same length.
struct TokenisedPair {
  Tokens prediction;
  std::vector<Tokens> references;
};
[[nodiscard]] std::array<std::optional<double>, 4> corpus_bleu(const std::vector<TokenisedPair>& pairs);
[[nodiscard]] double rouge_l(const TokenisedPair& pair);
// One score a clip; empty for fewer than two clips, where every n-gram is in every clip and its weight log(1)
// = 0.
[[nodiscard]] std::vector<double> cider_d(const std::vector<TokenisedPair>& pairs);

}  // namespace trainer
