// Questions about a picture, each with one right answer.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/random.hpp"
#include "packer/synthesize/picture.hpp"

namespace packer {

enum class QuestionKind { colour, shape, count, yes_no, row, column };
inline constexpr std::size_t k_question_kinds = 6;

struct PictureQuestion {
  QuestionKind kind = QuestionKind::colour;
  std::string text;
  std::string truth;
};

// `count` different questions (at most six), each of another kind.
[[nodiscard]] std::vector<PictureQuestion> draw_questions(const PictureScene& scene, std::size_t count,
                                                          common::Random& random);

// VQA v2's answer_type: "yes/no", "number" or "other".
[[nodiscard]] std::string answer_type_of(QuestionKind kind);
// VQA v2's question_type: the longest of its openings that begins the question, or "none of the above".
[[nodiscard]] std::string question_type_of(const std::string& text);

}  // namespace packer
