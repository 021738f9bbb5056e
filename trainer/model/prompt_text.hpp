// The words that a question is put in.
#pragma once

#include <string>

#include "trainer/formats/prompt_form.hpp"

namespace trainer {

// With a picture, whose place is the token <image>, and without one.
[[nodiscard]] std::string image_prompt(PromptForm form, const std::string& question);
[[nodiscard]] std::string text_prompt(PromptForm form, const std::string& question);

}  // namespace trainer
