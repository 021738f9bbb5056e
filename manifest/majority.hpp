// The answer that stands for the ten of a question.
#pragma once

#include <string>
#include <vector>

namespace manifest {

// VQA v2's most common answer: empty answers dropped, lower case, ties to the answer that occurs first.
[[nodiscard]] std::string majority_answer(const std::vector<std::string>& answers);

}  // namespace manifest
