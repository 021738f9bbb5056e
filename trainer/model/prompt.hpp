// Questions and answers as the token rows that LLaVA-1.5 is asked with.
#pragma once

#include <string>

#include "trainer/formats/prompt_form.hpp"
#include "trainer/formats/tokenizer.hpp"
#include "trainer/model/vision_language_base.hpp"

namespace trainer {

// One row: prompt, then the answer and </s> where an answer was given.
struct Row {
  TokenIds ids;             // image token expanded to P of them
  std::int64_t image = -1;  // index of the image's features in the caller's list; -1: a row without image
  std::int64_t answer_begin = 0;  // first position of the answer; ids.size() where there is none
  std::int64_t fused_begin = 0;   // first position after the image; 0 in a row without
};

// The stretches of the prompts that are the same in every row; a tokenizer trained for a tiny base makes one
// token of each.
[[nodiscard]] std::vector<std::string> prompt_phrases();

// Rows are made of what people wrote, so each is checked: a text that the base cannot take is a mismatch
// error that says why, without naming the sample.
class PromptWriter {
 public:
  // `name` is the tokenizer's, for messages. require_image_token holds.
  PromptWriter(const VisionLanguageBase& base, const Tokenizer& tokenizer,
               PromptForm form = PromptForm::original, const std::string& name = "tokenizer.json");
  [[nodiscard]] std::string image_prompt(const std::string& question,
                                         Asking asking = Asking::as_trained) const;
  [[nodiscard]] std::string text_prompt(const std::string& question) const;
  // image_prompt as a row; without a picture `image` counts for nothing.
  [[nodiscard]] Row image_row(const std::string& question, std::int64_t image,
                              Asking asking = Asking::as_trained) const;
  // text_prompt as a row.
  [[nodiscard]] Row text_row(const std::string& question) const;
  // The row with " {answer}</s>" behind it.
  [[nodiscard]] Row with_answer(Row row, const std::string& answer) const;

 private:
  [[nodiscard]] Row plain_row(const std::string& prompt) const;
  void require_plain(const char* what, const std::string& text) const;
  void require_known(const TokenIds& ids) const;
  void require_room(const char* what, const TokenIds& ids) const;

  const VisionLanguageBase& base_;
  const Tokenizer& tokenizer_;
  PromptForm form_;
};

// A tokenizer without <image>, or with another id for it than config.json has, is a mismatch error. `name` is
// the tokenizer's, for messages.
void require_image_token(const Tokenizer& tokenizer, std::int64_t image_token, const std::string& name);

}  // namespace trainer
