// Captions against references, without downloads: exact match, token F1, BLEU-1..4, ROUGE-L and CIDEr-D. A
// metric that cannot be computed is nothing, never 0 and never replaced by another one. Two tokenisations, as
// their sources have them: `normalise_caption` is the Python original's (exact match, token F1);
// caption_tokens.hpp has the other (BLEU, ROUGE-L, CIDEr-D).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trainer {

// The original's: curly apostrophes straight, lower case, 's -> s, everything else that is not a-z 0-9 a
// space, number words zero..twenty as digits. "A Dog's bark, two times!" -> "a dogs bark 2 times".
[[nodiscard]] std::string normalise_caption(std::string_view caption);

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

}  // namespace trainer
