// The two tables of VQA v2, with a NUL byte between them: what is accepted is in the order of question_id.
#include <unistd.h>

#include <filesystem>
#include <string>

#include "common/file.hpp"
#include "manifest/tables/vqa_tables.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

// The reader wants files; on /dev/shm they cost no disk.
std::filesystem::path put(const char* name, std::string_view text) {
  static const std::filesystem::path k_folder =
      std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
  const std::filesystem::path path = k_folder / ("safe-fuzz-" + std::to_string(::getpid()) + name);
  ::unlink(path.c_str());
  common::File file = common::create_new(path);
  file.write_all(common::view_of(text), path);
  return path;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const std::size_t middle = std::min(text.find('\0'), text.size());
  const auto questions = put("-questions", text.substr(0, middle));
  const auto annotations = put("-annotations", text.substr(std::min(middle + 1, text.size())));
  fuzz::may_refuse([&] {
    const auto tables = manifest::read_vqa_tables(questions, annotations, 1, common::Verbosity::quiet);
    for (std::size_t i = 0; i < tables.size(); ++i) {
      ENSURE(i == 0 || tables.question_id(i - 1) < tables.question_id(i));
      (void)tables.question(i);
      (void)tables.answers(i);
      (void)tables.question_type(i);
      (void)tables.answer_type(i);
    }
  });
  ::unlink(questions.c_str());
  ::unlink(annotations.c_str());
  return 0;
}
