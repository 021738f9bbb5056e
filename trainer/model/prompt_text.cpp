#include "trainer/model/prompt_text.hpp"

#include <fmt/format.h>

#include <string_view>

namespace trainer {

std::string image_prompt(PromptForm form, const std::string& question, Asking asking) {
  const std::string_view picture = asking == Asking::no_picture ? "" : "<image>\n";
  const bool is_moved = asking == Asking::instruction_moved;
  if (form == PromptForm::llava) {
    constexpr std::string_view k_instruction = "Answer the question using a single word or phrase.";
    return is_moved ? fmt::format("USER: {}{}\n{} ASSISTANT:", picture, k_instruction, question)
                    : fmt::format("USER: {}{}\n{} ASSISTANT:", picture, question, k_instruction);
  }
  constexpr std::string_view k_instruction = "Answer in one word or a number.";
  return is_moved ? fmt::format("USER: {}Question: {}\n{} ASSISTANT:", picture, question, k_instruction)
                  : fmt::format("USER: {}{} Question: {} ASSISTANT:", picture, k_instruction, question);
}

std::string text_prompt(PromptForm form, const std::string& question) {
  return (form == PromptForm::llava ? "USER: " : "USER: Question: ") + question + " ASSISTANT:";
}

}  // namespace trainer
