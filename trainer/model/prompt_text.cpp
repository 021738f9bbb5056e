#include "trainer/model/prompt_text.hpp"

#include <fmt/format.h>

namespace trainer {

std::string image_prompt(PromptForm form, const std::string& question) {
  if (form == PromptForm::llava)
    return fmt::format("USER: <image>\n{}\nAnswer the question using a single word or phrase. ASSISTANT:",
                       question);
  return fmt::format("USER: <image>\nAnswer in one word or a number. Question: {} ASSISTANT:", question);
}

std::string text_prompt(PromptForm form, const std::string& question) {
  return (form == PromptForm::llava ? "USER: " : "USER: Question: ") + question + " ASSISTANT:";
}

}  // namespace trainer
