// The comparison as Markdown, for a repository: experiments/overfitting/RESULTS.md.
#pragma once

#include <string>

#include "trainer/report/comparison.hpp"

namespace trainer {

// `command` is what was typed to make the file, and stands in it.
[[nodiscard]] std::string to_markdown(const Comparison& comparison, const std::string& command);

}  // namespace trainer
