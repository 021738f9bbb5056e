#include "trainer/model/prompt.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.hpp"
#include "trainer/model/prompt_text.hpp"

namespace trainer {
namespace {

constexpr const char* k_image_piece = "<image>";

[[noreturn]] void refuse(const std::string& why) { throw common::Error(common::ErrorKind::mismatch, why); }

std::string beginning_of(const std::string& text) {
  constexpr std::size_t k_shown_bytes = 60;
  std::string shown = text.substr(0, k_shown_bytes);
  if (shown.size() < text.size()) shown += "...";
  return shown;
}

}  // namespace

std::vector<std::string> prompt_phrases() {
  return {"USER: ", "\nAnswer in one word or a number. Question:", "USER: Question:", " ASSISTANT:"};
}

void require_image_token(const Tokenizer& tokenizer, std::int64_t image_token, const std::string& name) {
  const auto found = tokenizer.find(k_image_piece);
  const char* remedy =
      "; the two files belong to different models: take the tokenizer.json that was published with "
      "the weights";
  if (!found)
    refuse(fmt::format("{} has no token {}, and image_token_index in config.json is {}{}", name,
                       k_image_piece, image_token, remedy));
  if (*found != image_token)
    refuse(fmt::format("{} gives {} the id {}, and image_token_index in config.json is {}{}", name,
                       k_image_piece, *found, image_token, remedy));
  const TokenIds prompt = tokenizer.encode(std::string("USER: ") + k_image_piece + "\n");
  if (std::count(prompt.begin(), prompt.end(), image_token) != 1)
    refuse(fmt::format("{} does not list {} among its added_tokens, so that it is cut to pieces{}", name,
                       k_image_piece, remedy));
}

PromptWriter::PromptWriter(const VisionLanguageBase& base, const Tokenizer& tokenizer, PromptForm form,
                           const std::string& name)
    : base_(base), tokenizer_(tokenizer), form_(form) {
  require_image_token(tokenizer, base.tokens().image, name);
}

std::string PromptWriter::image_prompt(const std::string& question, Asking asking) const {
  return trainer::image_prompt(form_, question, asking);
}

std::string PromptWriter::text_prompt(const std::string& question) const {
  return trainer::text_prompt(form_, question);
}

// transformers takes such a text for the token itself; spelled in other pieces it would be another question.
void PromptWriter::require_plain(const char* what, const std::string& text) const {
  const BaseTokens tokens = base_.tokens();
  for (const std::int64_t id : tokenizer_.added_in(text))
    if (tokenizer_.is_special(id) || id == tokens.image || id == tokens.bos || id == tokens.eos)
      refuse(fmt::format("the {} contains {}, which is a token of the base and no text", what,
                         tokenizer_.piece(id)));
}

void PromptWriter::require_known(const TokenIds& ids) const {
  for (const std::int64_t id : ids)
    if (id < 0 || id >= base_.decoder().config().vocabulary)
      refuse(fmt::format("its token {} has the id {}, and the base's embeddings end at {}",
                         tokenizer_.piece(id), id, base_.decoder().config().vocabulary - 1));
}

Row PromptWriter::image_row(const std::string& question, std::int64_t image, Asking asking) const {
  require_plain("question", question);
  if (asking == Asking::no_picture) return plain_row(image_prompt(question, asking));
  Row row;
  row.ids = base_.expand_image(tokenizer_.encode(image_prompt(question, asking)));
  require_known(row.ids);
  require_room("the question takes", row.ids);
  row.image = image;
  const auto last = std::find(row.ids.rbegin(), row.ids.rend(), base_.tokens().image);
  row.fused_begin = static_cast<std::int64_t>(row.ids.rend() - last);
  row.answer_begin = static_cast<std::int64_t>(row.ids.size());
  return row;
}

Row PromptWriter::text_row(const std::string& question) const {
  require_plain("question", question);
  return plain_row(text_prompt(question));
}

Row PromptWriter::plain_row(const std::string& prompt) const {
  Row row;
  row.ids = tokenizer_.encode(prompt);
  require_known(row.ids);
  require_room("the question takes", row.ids);
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
  row.ids.push_back(base_.tokens().eos);
  require_room("question and answer take", row.ids);
  return row;
}

void PromptWriter::require_room(const char* what, const TokenIds& ids) const {
  const DecoderConfig& decoder = base_.decoder().config();
  const auto length = static_cast<std::int64_t>(ids.size());
  if (length > decoder.position_limit)
    refuse(fmt::format("{} {} tokens, and the base has {} positions", what, length, decoder.position_limit));
  if (length > decoder.row_limit())
    refuse(fmt::format("{} {} tokens, and the base looks back {} (sliding_window), which is not computed",
                       what, length, decoder.window));
}

}  // namespace trainer
