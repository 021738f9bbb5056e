// Ten annotators who do not always give the right answer: it has at least four votes, and no other answer has
// more.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "common/random.hpp"
#include "packer/synthesize/questions.hpp"

namespace packer {

inline constexpr std::size_t k_annotators = 10;

struct AnnotatorAnswer {
  std::string answer;
  std::string confidence;  // "yes", "maybe" or "no", as VQA v2 has it
};
using AnnotatorAnswers = std::array<AnnotatorAnswer, k_annotators>;

[[nodiscard]] AnnotatorAnswers draw_answers(const PictureQuestion& question, common::Random& random);

}  // namespace packer
