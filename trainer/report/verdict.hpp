// What a report says in words: of each comparison one sentence or two, with what was seen and how sure it is.
#pragma once

#include <string>
#include <vector>

#include "trainer/report/comparison.hpp"

namespace trainer {

// Of the primary comparison, or, where none was named, of every one with a trained clip; none where these are
// more than a reader takes in.
[[nodiscard]] std::vector<std::string> verdicts(const Comparison& comparison);

}  // namespace trainer
