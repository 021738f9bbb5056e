// One of VQA v2's two tables as its file has it, before the two are joined.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/progress.hpp"
#include "manifest/format/recipe.hpp"
#include "manifest/tables/vqa_tables.hpp"

namespace manifest {

// A kind of question or answer, as an index into the kinds that a table names; 0 where a row names none.
using KindId = std::uint32_t;

// Few distinct texts that stand in many rows.
class KindList {
 public:
  KindId id_of(std::string_view text) {
    if (texts_[last_] == text) return last_;
    const auto [at, is_new] = ids_.try_emplace(std::string(text), static_cast<KindId>(texts_.size()));
    if (is_new) texts_.push_back(at->first);
    return last_ = at->second;
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(texts_); }

 private:
  std::vector<std::string> texts_{std::string()};
  std::unordered_map<std::string, KindId> ids_{{std::string(), 0}};
  KindId last_ = 0;
};

// One table, rows as they stand in the file.
struct VqaTable {
  struct Row {
    std::int64_t question_id = 0;
    std::int64_t image_id = 0;   // questions only
    std::size_t first_text = 0;  // the question, or the first answer
    std::size_t text_count = 0;
    KindId question_type = 0;  // annotations only
    KindId answer_type = 0;
  };
  std::vector<Row> rows;
  TextList texts;
  std::string data_subtype;
  std::optional<Licence> licence;  // as the file states it
  KindList kinds;
};

// Throws a format error that names the file and the row.
[[nodiscard]] VqaTable read_questions(const std::filesystem::path& path, common::Progress& progress);
[[nodiscard]] VqaTable read_annotations(const std::filesystem::path& path, common::Progress& progress);

}  // namespace manifest
