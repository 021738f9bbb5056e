// BLEU (Papineni et al. 2002), ROUGE-L (Lin 2004) and CIDEr-D (Vedantam et al. 2015) over tokens already
// made, so that a peer can be fed the same ones. A value that cannot be computed is nothing, never 0.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "trainer/results/caption_tokens.hpp"

namespace trainer {

// One generated caption and its references (at least one).
struct TokenisedPair {
  Tokens prediction;
  std::vector<Tokens> references;
};

// BLEU-1..4, over the corpus, brevity penalty, closest reference length.
[[nodiscard]] std::array<std::optional<double>, 4> corpus_bleu(const std::vector<TokenisedPair>& pairs);
// Longest common subsequence, beta 1.2; best precision and best recall over the references, as coco-caption
// computes it. 0 where either side has no token.
[[nodiscard]] double rouge_l(const TokenisedPair& pair);
// One score a clip; empty for fewer than two clips, where every n-gram is in every clip and its weight log(1)
// = 0.
[[nodiscard]] std::vector<double> cider_d(const std::vector<TokenisedPair>& pairs);

}  // namespace trainer
