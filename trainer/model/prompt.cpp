#include "trainer/model/prompt.hpp"

#include <algorithm>

#include "common/error.hpp"

namespace trainer {

std::vector<std::string> prompt_phrases() {
  return {"USER: ", "\nAnswer in one word or a number. Question:", "USER: Question:", " ASSISTANT:"};
}

Row PromptWriter::image_row(const std::string& question, std::int64_t image) const {
  Row row;
  row.ids = base_.expand_image(tokenizer_.encode(
      "USER: <image>\nAnswer in one word or a number. Question: " + question + " ASSISTANT:"));
  row.image = image;
  const auto last = std::find(row.ids.rbegin(), row.ids.rend(), base_.config().image_token);
  ENSURE(last != row.ids.rend());
  row.fused_begin = static_cast<std::int64_t>(row.ids.rend() - last);
  row.answer_begin = static_cast<std::int64_t>(row.ids.size());
  return row;
}

Row PromptWriter::text_row(const std::string& question) const {
  Row row;
  row.ids = tokenizer_.encode("USER: Question: " + question + " ASSISTANT:");
  row.answer_begin = static_cast<std::int64_t>(row.ids.size());
  return row;
}

Row PromptWriter::with_answer(Row row, const std::string& answer) const {
  for (const std::int64_t id : tokenizer_.encode(answer, SpecialTokens::none)) row.ids.push_back(id);
  row.ids.push_back(base_.config().text.eos_token);
  if (static_cast<std::int64_t>(row.ids.size()) > base_.config().text.position_limit)
    throw common::Error(common::ErrorKind::mismatch,
                        "a prompt of " + std::to_string(row.ids.size()) + " tokens does not fit the base's " +
                            std::to_string(base_.config().text.position_limit) + " positions: \"" +
                            answer.substr(0, 80) + "\"; leave the sample out of the manifest");
  return row;
}

}  // namespace trainer
