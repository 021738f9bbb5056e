#include "manifest/tables/vqa_tables.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/parallel.hpp"
#include "manifest/tables/vqa_table.hpp"

namespace manifest {

void TextList::add(std::string_view text) {
  bytes_ += text;
  ends_.push_back(bytes_.size());
}

std::string_view TextList::operator[](std::size_t index) const {
  const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::string_view(bytes_).substr(begin, ends_[index] - begin);
}

std::vector<std::string> VqaTables::answers(std::size_t index) const {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < rows_[index].answer_count; ++i)
    texts.emplace_back(answers_[rows_[index].first_answer + i]);
  return texts;
}

namespace {

// Where an id stands more than once, the last row is the one that counts.
void keep_last_of_each_id(std::vector<VqaTable::Row>& rows) {
  std::reverse(rows.begin(), rows.end());
  std::stable_sort(rows.begin(), rows.end(), [](const VqaTable::Row& a, const VqaTable::Row& b) {
    return a.question_id < b.question_id;
  });
  rows.erase(std::unique(rows.begin(), rows.end(),
                         [](const VqaTable::Row& a, const VqaTable::Row& b) {
                           return a.question_id == b.question_id;
                         }),
             rows.end());
}

// As the publisher gives them; the reader wants the JSON inside, which it reads in constant memory.
void refuse_packed(const std::filesystem::path& path) {
  const common::File file = common::open_to_read(path);
  char first[4] = {};
  const std::string_view begins(first, file.read_at(first, sizeof first, 0, path));
  const bool is_zip = begins == "PK\x03\x04";
  if (is_zip || begins.starts_with("\x1f\x8b"))
    throw common::Error(common::ErrorKind::format,
                        path.string() + (is_zip ? " is a zip file; unpack it (unzip) and name the .json in it"
                                                : " is a gzip file; unpack it (gunzip) and name the .json"));
}

}  // namespace

VqaTables read_vqa_tables(const std::filesystem::path& questions, const std::filesystem::path& annotations,
                          unsigned threads, common::Verbosity verbosity) {
  std::uint64_t size_bytes = 0;
  for (const auto& path : {questions, annotations}) refuse_packed(path);
  for (const auto& path : {questions, annotations})
    size_bytes += common::size_of(common::open_to_read(path), path);
  common::Progress progress("reading", "bytes", size_bytes, verbosity);
  std::array<VqaTable, 2> read;
  VqaTables tables;
  // The questions are a quarter of the whole: who has read them has time to hash both.
  common::parallel_for(3, threads, [&](std::size_t i) {
    if (i == 2) {
      tables.sources_[0].digest = common::digest_file(questions).digest;
      tables.sources_[1].digest = common::digest_file(annotations).digest;
      return;
    }
    read[i] = i == 0 ? read_questions(questions, progress) : read_annotations(annotations, progress);
    keep_last_of_each_id(read[i].rows);
  });

  auto annotation = read[1].rows.begin();
  for (const VqaTable::Row& row : read[0].rows) {
    while (annotation != read[1].rows.end() && annotation->question_id < row.question_id) ++annotation;
    if (annotation == read[1].rows.end()) break;
    if (annotation->question_id == row.question_id)
      tables.rows_.push_back({row.question_id, row.image_id, row.first_text, annotation->first_text,
                              annotation->text_count, annotation->question_type, annotation->answer_type});
  }
  tables.questions_ = std::move(read[0].texts);
  tables.answers_ = std::move(read[1].texts);
  tables.kinds_ = read[1].kinds.take();
  tables.data_subtype_ = std::move(read[0].data_subtype);
  for (std::size_t i = 0; i < read.size(); ++i) tables.sources_[i].licence = std::move(read[i].licence);
  return tables;
}

}  // namespace manifest
