// The two tables of VQA v2, with a NUL byte between them: what is accepted is in the order of question_id.
#include "manifest/tables/vqa_tables.hpp"
#include "tests/fuzz/file_of.hpp"
#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const std::size_t middle = std::min(text.find('\0'), text.size());
  const fuzz::FileOf questions("questions", text.substr(0, middle));
  const fuzz::FileOf annotations("annotations", text.substr(std::min(middle + 1, text.size())));
  try {
    const auto tables =
        manifest::read_vqa_tables(questions.path(), annotations.path(), 1, common::Verbosity::quiet);
    for (std::size_t i = 0; i < tables.size(); ++i) {
      ENSURE(i == 0 || tables.question_id(i - 1) < tables.question_id(i));
      (void)tables.question(i);
      (void)tables.answers(i);
      (void)tables.question_type(i);
      (void)tables.answer_type(i);
    }
  } catch (const common::Error& error) {
    ENSURE(fuzz::may_refuse_file(questions, error) || fuzz::may_refuse_file(annotations, error));
  }
  return 0;
}
