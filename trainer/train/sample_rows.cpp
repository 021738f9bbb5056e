#include "trainer/train/sample_rows.hpp"

#include <fmt/format.h>

#include "common/error.hpp"

namespace trainer {
namespace {

constexpr std::size_t k_shown_limit = 20;

}  // namespace

Row RowProblems::row(const std::string& sample, const std::function<Row()>& make) {
  try {
    return make();
  } catch (const common::Error& error) {
    if (error.kind() != common::ErrorKind::mismatch) throw;
    if (shown_.size() < k_shown_limit) shown_.push_back(sample + ": " + error.what());
    ++count_;
    return {};
  }
}

void RowProblems::refuse_any() const {
  if (count_ == 0) return;
  std::string list;
  for (const std::string& line : shown_) list += "\n  " + line;
  if (count_ > shown_.size()) list += fmt::format("\n  and {} more", count_ - shown_.size());
  throw common::Error(common::ErrorKind::mismatch,
                      fmt::format("{} of the pack's samples cannot be put to this base:{}\nchange these "
                                  "texts in the tables, or leave "
                                  "the samples out of the manifests, and build the pack again",
                                  count_, list));
}

std::vector<std::vector<Row>> caption_rows(const PromptWriter& writer, const std::vector<ClipSample>& clips,
                                           RowProblems& problems) {
  std::vector<std::vector<Row>> rows(clips.size());
  for (std::size_t i = 0; i < clips.size(); ++i)
    for (const std::string& caption : clips[i].captions)
      rows[i].push_back(problems.row("clip " + clips[i].clip_id, [&] {
        return writer.with_answer(writer.text_row(clips[i].question), caption);
      }));
  return rows;
}

std::vector<Row> question_rows(const PromptWriter& writer, const std::vector<QuestionSample>& questions,
                               RowProblems& problems, Asking asking) {
  std::vector<Row> rows;
  for (const QuestionSample& question : questions)
    rows.push_back(problems.row("question_id " + std::to_string(question.question_id), [&] {
      return writer.with_answer(writer.image_row(question.question, 0, asking), question.majority_answer);
    }));
  return rows;
}

}  // namespace trainer
