// What an answer is worth, by the scorer that its data set has.
#pragma once

#include <string>
#include <vector>

#include "manifest/datasets/scorer.hpp"

namespace trainer {

// captions: token F1; vqa_accuracy: that. Both in [0, 1].
[[nodiscard]] double score_answer(manifest::Scorer scorer, const std::string& answer,
                                  const std::vector<std::string>& references);
// What counts as the answer in generated text: caption_text, or answer_text.
[[nodiscard]] std::string answer_in(manifest::Scorer scorer, const std::string& text);

}  // namespace trainer
