// The samples of a run as token rows: what of a pack the base is asked and taught. All of it is made before
// the first clip or picture is encoded, so that a sample that does not suit the base ends a run at once.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "trainer/model/prompt.hpp"
#include "trainer/samples/samples.hpp"

namespace trainer {

// Collects the samples that the base cannot take.
class RowProblems {
 public:
  // What `make` gives; where that is a mismatch error, it is noted under the sample's name and an empty row
  // given.
  [[nodiscard]] Row row(const std::string& sample, const std::function<Row()>& make);
  // One mismatch error with all samples that were noted, the first twenty by name.
  void refuse_any() const;

 private:
  std::vector<std::string> shown_;
  std::size_t count_ = 0;
};

// Of each clip a row a caption, which is the answer.
[[nodiscard]] std::vector<std::vector<Row>> caption_rows(const PromptWriter& writer,
                                                         const std::vector<ClipSample>& clips,
                                                         RowProblems& problems);
// A row a question, with its majority answer.
[[nodiscard]] std::vector<Row> question_rows(const PromptWriter& writer,
                                             const std::vector<QuestionSample>& questions,
                                             RowProblems& problems, Asking asking = Asking::as_trained);

}  // namespace trainer
