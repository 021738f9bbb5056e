// The words that a question is put in.
#pragma once

#include <string>

#include "trainer/formats/prompt_form.hpp"

namespace trainer {

// Of a question about a picture, whose place is the token <image>.
[[nodiscard]] std::string image_prompt(PromptForm form, const std::string& question,
                                       Asking asking = Asking::as_trained);
// Of a question that is about no picture.
[[nodiscard]] std::string text_prompt(PromptForm form, const std::string& question);

}  // namespace trainer
