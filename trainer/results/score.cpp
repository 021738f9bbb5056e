#include "trainer/results/score.hpp"

#include "trainer/results/answer_text.hpp"
#include "trainer/results/caption_metrics.hpp"
#include "trainer/results/vqa_accuracy.hpp"

namespace trainer {

double score_answer(manifest::Scorer scorer, const std::string& answer,
                    const std::vector<std::string>& references) {
  return scorer == manifest::Scorer::captions ? token_f1({answer, references})
                                              : vqa_accuracy(answer, references);
}

std::string answer_in(manifest::Scorer scorer, const std::string& text) {
  return scorer == manifest::Scorer::captions ? caption_text(text) : answer_text(text);
}

}  // namespace trainer
