// The two official tables of VQA v2, joined on question_id. Each file is read in one pass into flat arrays,
// never as a document: at full size they are 190 MB of JSON, of which a few hundred rows are wanted.
// Texts are already stripped as Python strips them; of rows that share an id the last one counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/progress.hpp"
#include "manifest/format/recipe.hpp"

namespace manifest {

// No question or answer of VQA v2 has more than a few hundred bytes; a longer one is not of such a table.
inline constexpr std::size_t k_text_limit_bytes = std::size_t{1} << 16;

// Many short texts in one buffer.
class TextList {
 public:
  void add(std::string_view text);
  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  [[nodiscard]] std::string_view operator[](std::size_t index) const;

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

class VqaTables {
 public:
  // Counts the questions that have an annotation; they are in ascending order of question_id.
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::int64_t question_id(std::size_t index) const { return rows_[index].question_id; }
  [[nodiscard]] std::int64_t image_id(std::size_t index) const { return rows_[index].image_id; }
  [[nodiscard]] std::string_view question(std::size_t index) const {
    return questions_[rows_[index].question];
  }
  [[nodiscard]] std::vector<std::string> answers(std::size_t index) const;
  // "what color is the" and "other", as the annotation says; empty where it does not.
  [[nodiscard]] const std::string& question_type(std::size_t index) const {
    return kinds_[rows_[index].question_type];
  }
  [[nodiscard]] const std::string& answer_type(std::size_t index) const {
    return kinds_[rows_[index].answer_type];
  }
  // "val2014", as the questions file says; empty where it does not.
  [[nodiscard]] const std::string& data_subtype() const { return data_subtype_; }
  // Each file as a source of a recipe: its digest, and what it says of its licence.
  [[nodiscard]] const Recipe::Source& questions_source() const { return sources_[0]; }
  [[nodiscard]] const Recipe::Source& annotations_source() const { return sources_[1]; }

 private:
  friend VqaTables read_vqa_tables(const std::filesystem::path& questions,
                                   const std::filesystem::path& annotations, unsigned threads,
                                   common::Verbosity verbosity);
  struct Row {
    std::int64_t question_id = 0;
    std::int64_t image_id = 0;
    std::size_t question = 0;      // index into questions_
    std::size_t first_answer = 0;  // index into answers_
    std::size_t answer_count = 0;
    std::uint32_t question_type = 0;  // indices into kinds_
    std::uint32_t answer_type = 0;
  };
  std::vector<Row> rows_;
  std::vector<std::string> kinds_;
  TextList questions_;
  TextList answers_;
  std::string data_subtype_;
  std::array<Recipe::Source, 2> sources_{Recipe::Source{"questions", {}}, Recipe::Source{"annotations", {}}};
};

// With two or more threads the files are read side by side; the result is the same.
[[nodiscard]] VqaTables read_vqa_tables(const std::filesystem::path& questions,
                                        const std::filesystem::path& annotations, unsigned threads,
                                        common::Verbosity verbosity);

}  // namespace manifest
