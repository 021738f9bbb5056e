#include "trainer/model/prompt_text.hpp"

#include <doctest/doctest.h>

using namespace trainer;

TEST_CASE("a question is asked with its instruction at either end, and without its picture") {
  const std::string original = "USER: <image>\nAnswer in one word or a number. Question: Why? ASSISTANT:",
                    llava =
                        "USER: <image>\nWhy?\nAnswer the question using a single word or phrase. ASSISTANT:";
  CHECK(image_prompt(PromptForm::original, "Why?") == original);
  CHECK(image_prompt(PromptForm::llava, "Why?") == llava);
  CHECK(image_prompt(PromptForm::original, "Why?", Asking::instruction_moved) ==
        "USER: <image>\nQuestion: Why?\nAnswer in one word or a number. ASSISTANT:");
  CHECK(image_prompt(PromptForm::llava, "Why?", Asking::instruction_moved) ==
        "USER: <image>\nAnswer the question using a single word or phrase.\nWhy? ASSISTANT:");
  for (const auto& [form, shown] :
       {std::pair(PromptForm::original, original), std::pair(PromptForm::llava, llava)}) {
    std::string hidden = shown;
    hidden.erase(hidden.find("<image>\n"), 8);
    CHECK(image_prompt(form, "Why?", Asking::no_picture) == hidden);
  }
}
