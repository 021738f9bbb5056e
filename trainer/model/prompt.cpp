#include "trainer/model/prompt.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.hpp"

namespace trainer {
namespace {

constexpr const char* k_image_piece = "<image>";

[[noreturn]] void refuse(const std::string& why) { throw common::Error(common::ErrorKind::mismatch, why); }

std::string beginning_of(const std::string& text) {
  constexpr std::size_t k_shown_bytes = 60;
  return text.size() <= k_shown_bytes ? text : text.substr(0, k_shown_bytes) + "...";
}

std::string image_prompt(const std::string& question) {
  return fmt::format("USER: {}\nAnswer in one word or a number. Question: {} ASSISTANT:", k_image_piece,
                     question);
}

}  // namespace

std::vector<std::string> prompt_phrases() {
  return {"USER: ", "\nAnswer in one word or a number. Question:", "USER: Question:", " ASSISTANT:"};
}

PromptWriter::PromptWriter(const Llava& base, const Tokenizer& tokenizer, const std::string& name)
    : base_(base), tokenizer_(tokenizer) {
  const std::int64_t image = base.config().image_token;
  const auto found = tokenizer.find(k_image_piece);
  const char* remedy =
      "; the two files belong to different models: take the tokenizer.json that was published with "
      "the weights";
  if (!found)
    refuse(fmt::format("{} has no token {}, and image_token_index in config.json is {}{}", name,
                       k_image_piece, image, remedy));
  if (*found != image)
    refuse(fmt::format("{} gives {} the id {}, and image_token_index in config.json is {}{}", name,
                       k_image_piece, *found, image, remedy));
  const TokenIds prompt = tokenizer.encode(image_prompt(""));
  if (std::count(prompt.begin(), prompt.end(), image) != 1)
    refuse(fmt::format("{} does not list {} among its added_tokens, so that it is cut to pieces{}", name,
                       k_image_piece, remedy));
}

// transformers takes such a text for the token itself; spelled in other pieces it would be another question.
void PromptWriter::require_plain(const char* what, const std::string& text) const {
  const LlavaConfig& config = base_.config();
  for (const std::int64_t id : tokenizer_.added_in(text))
    if (tokenizer_.is_special(id) || id == config.image_token || id == config.text.bos_token ||
        id == config.text.eos_token)
      refuse(fmt::format("the {} contains {}, which is a token of the base and no text", what,
                         tokenizer_.piece(id)));
}

void PromptWriter::require_known(const TokenIds& ids) const {
  for (const std::int64_t id : ids)
    if (id < 0 || id >= base_.config().text.vocabulary)
      refuse(fmt::format("its token {} has the id {}, and the base's embeddings end at {}",
                         tokenizer_.piece(id), id, base_.config().text.vocabulary - 1));
}

Row PromptWriter::image_row(const std::string& question, std::int64_t image) const {
  require_plain("question", question);
  Row row;
  row.ids = base_.expand_image(tokenizer_.encode(image_prompt(question)));
  require_known(row.ids);
  row.image = image;
  const auto last = std::find(row.ids.rbegin(), row.ids.rend(), base_.config().image_token);
  row.fused_begin = static_cast<std::int64_t>(row.ids.rend() - last);
  row.answer_begin = static_cast<std::int64_t>(row.ids.size());
  return row;
}

Row PromptWriter::text_row(const std::string& question) const {
  require_plain("question", question);
  Row row;
  row.ids = tokenizer_.encode("USER: Question: " + question + " ASSISTANT:");
  require_known(row.ids);
  if (row.ids.empty()) refuse("tokenizer.json has no token for its question");
  row.answer_begin = static_cast<std::int64_t>(row.ids.size());
  return row;
}

Row PromptWriter::with_answer(Row row, const std::string& answer) const {
  require_plain("answer", answer);
  const TokenIds ids = tokenizer_.encode(answer, SpecialTokens::none);
  require_known(ids);
  if (ids.empty() && !answer.empty())
    refuse(fmt::format("tokenizer.json has no token for its answer \"{}\"", beginning_of(answer)));
  row.ids.insert(row.ids.end(), ids.begin(), ids.end());
  row.ids.push_back(base_.config().text.eos_token);
  const std::int64_t limit = base_.config().text.position_limit;
  if (static_cast<std::int64_t>(row.ids.size()) > limit)
    refuse(fmt::format("question and answer take {} tokens, and the base has {} positions", row.ids.size(),
                       limit));
  return row;
}

}  // namespace trainer
