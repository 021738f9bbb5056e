// What counts as the answer in generated text. Sees the generated text alone: no reference, no list of
// answers.
#pragma once

#include <string>
#include <string_view>

namespace trainer {

// The generated caption: white space collapsed to single spaces, none at the ends.
[[nodiscard]] std::string caption_text(std::string_view generated);

// The generated answer to a question: the first line that has any text, up to the first sentence end. A dot
// between digits ends nothing ("2.5 feet" stays), nor do the dots of "p.m.".
[[nodiscard]] std::string answer_text(std::string_view generated);

}  // namespace trainer
