#include "manifest/tables/vqa_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "common/error.hpp"
#include "common/json_stream.hpp"
#include "common/python_text.hpp"
#include "manifest/tables/row_faults.hpp"

namespace manifest {
namespace {

using common::Error;
using common::ErrorKind;

enum class Field : std::uint8_t {
  none,
  question_id,
  image_id,
  question,
  answers,
  question_type,
  answer_type
};

// A key that a row may have, and what is said where it must be there and is not.
struct RowField {
  std::string_view key;
  Field field;
  const char* absent;  // null: the row can do without it
};

// What differs between the two tables.
struct Layout {
  std::string_view list;
  std::span<const RowField> fields;
};
constexpr const char* k_no_id = "there is no key \"question_id\"";
constexpr std::array k_question_fields = {
    RowField{"question_id", Field::question_id, k_no_id},
    RowField{"image_id", Field::image_id, "the question has no image: there is no key \"image_id\""},
    RowField{"question", Field::question, "there is no key \"question\""}};
constexpr std::array k_annotation_fields = {
    RowField{"question_id", Field::question_id, k_no_id},
    RowField{"answers", Field::answers, "there is no key \"answers\""},
    RowField{"question_type", Field::question_type, nullptr},
    RowField{"answer_type", Field::answer_type, nullptr}};
constexpr Layout k_questions = {"questions", k_question_fields};
constexpr Layout k_annotations = {"annotations", k_annotation_fields};

// Takes the wanted fields of one table out of the stream; everything else passes by. As strict as
// common::parse_json about what is wanted: types, keys that stand twice, integers, surrogates, depth.
class TableReader {
 public:
  TableReader(const std::filesystem::path& path, const Layout& layout, common::Progress& progress)
      : stream_(path, progress), layout_(layout), name_(path.string()), faults_(name_) {}
  VqaTable read();

 private:
  using Kind = common::JsonStream::Kind;

  [[noreturn]] void fail(const std::string& what) const;
  void note(const std::string& what);
  bool expect(Kind wanted, std::string_view key);
  std::string take_refused(std::string_view key, Kind found);
  void read_list();
  void read_licence();
  void read_row();
  void read_value(const RowField& field);
  void read_answers();
  void read_answer();
  void read_integer(std::string_view key, std::int64_t& to);
  KindId kind_of_row();
  void add_text(std::string_view key);

  common::JsonStream stream_;
  const Layout& layout_;
  const std::string name_;
  VqaTable table_;
  VqaTable::Row row_;
  std::string row_fault_;  // the first of the row
  RowFaults faults_;
};

void TableReader::fail(const std::string& what) const {
  throw Error(ErrorKind::format, name_ + ": " + what + k_check_the_file);
}

// Of a row: the reading goes on, so that all broken rows are told at once.
void TableReader::note(const std::string& what) {
  if (row_fault_.empty()) row_fault_ = what;
}

// Takes the value. "answer" cannot be an integer.
std::string TableReader::take_refused(std::string_view key, Kind found) {
  const char* what = "";
  switch (found) {
    case Kind::object:
      what = "an object";
      break;
    case Kind::array:
      what = "a list";
      break;
    case Kind::string:
      what = "a string";
      break;
    case Kind::literal:
      what = "null, true or false";
      break;
    case Kind::number:
      switch (stream_.number().kind) {
        case common::JsonNumber::Kind::integer:
          what = "an integer";
          break;
        case common::JsonNumber::Kind::too_large:
          what = "an integer beyond 64 bits";
          break;
        case common::JsonNumber::Kind::real:
          what = "another number";
          break;
      }
      break;
  }
  if (found != Kind::number) stream_.pass();
  return key.empty() ? fmt::format("a list must hold objects, found {}", what)
                     : fmt::format("\"{}\" cannot be {}", key, what);
}

// `key` is empty for an element of a list. False where the value is another, which is noted and passed over.
bool TableReader::expect(Kind wanted, std::string_view key) {
  const Kind found = stream_.next();
  if (found == wanted) return true;
  note(take_refused(key, found));
  return false;
}

void TableReader::read_integer(std::string_view key, std::int64_t& to) {
  if (!expect(Kind::number, key)) return;
  const common::JsonNumber number = stream_.number();
  if (number.kind == common::JsonNumber::Kind::integer)
    to = number.value;
  else
    note(fmt::format(
        "\"{}\" cannot be {}", key,
        number.kind == common::JsonNumber::Kind::real ? "another number" : "an integer beyond 64 bits"));
}

void TableReader::add_text(std::string_view key) {
  if (!expect(Kind::string, key)) return;
  const std::string_view text = stream_.text();
  if (text.size() > k_text_limit_bytes)
    note(fmt::format("a text is longer than {} bytes", k_text_limit_bytes));
  else
    table_.texts.add(common::python_strip(text));
}

// Only stratified sampling needs the kinds: a table without them, or with something else there, can do.
KindId TableReader::kind_of_row() {
  if (stream_.next() == Kind::string) return table_.kinds.id_of(stream_.text());
  stream_.pass();
  return 0;
}

void TableReader::read_answer() {
  if (!expect(Kind::object, {})) return;
  bool seen = false;
  stream_.enter();
  for (std::string_view key; stream_.member(key);) {
    if (key != "answer") {
      stream_.pass();
      continue;
    }
    if (std::exchange(seen, true)) note("duplicate key \"answer\" in one object");
    add_text("answer");
  }
  if (!seen) note("there is no key \"answer\"");
}

void TableReader::read_answers() {
  if (!expect(Kind::array, "answers")) return;
  row_.first_text = table_.texts.size();
  stream_.enter();
  while (stream_.element()) read_answer();
  row_.text_count = table_.texts.size() - row_.first_text;
}

void TableReader::read_value(const RowField& field) {
  switch (field.field) {
    case Field::question_id:
      read_integer(field.key, row_.question_id);
      return;
    case Field::image_id:
      read_integer(field.key, row_.image_id);
      return;
    case Field::question:
      row_.first_text = table_.texts.size();
      add_text(field.key);
      return;
    case Field::answers:
      read_answers();
      return;
    case Field::question_type:
      row_.question_type = kind_of_row();
      return;
    case Field::answer_type:
      row_.answer_type = kind_of_row();
      return;
    case Field::none:
      return;
  }
}

void TableReader::read_row() {
  row_ = {};
  if (!expect(Kind::object, {})) return;
  unsigned seen = 0;  // one bit for each Field
  stream_.enter();
  for (std::string_view key; stream_.member(key);) {
    const auto field = std::find_if(layout_.fields.begin(), layout_.fields.end(),
                                    [&](const RowField& one) { return one.key == key; });
    if (field == layout_.fields.end()) {
      stream_.pass();
      continue;
    }
    const unsigned bit = 1U << static_cast<unsigned>(field->field);
    if ((seen & bit) != 0) note(fmt::format("duplicate key \"{}\" in one object", key));
    seen |= bit;
    read_value(*field);
  }
  for (const RowField& field : layout_.fields)
    if (field.absent != nullptr && (seen >> static_cast<unsigned>(field.field) & 1U) == 0) note(field.absent);
}

void TableReader::read_list() {
  if (const Kind found = stream_.next(); found != Kind::array)
    fail(fmt::format("\"{}\" must be a list of objects", layout_.list));
  stream_.enter();
  for (std::size_t number = 1; stream_.element(); ++number) {
    row_fault_.clear();
    read_row();
    if (row_fault_.empty())
      table_.rows.push_back(row_);
    else
      faults_.add(
          fmt::format("{}: {} row {}: {}{}", name_, layout_.list, number, row_fault_, k_check_the_file));
  }
}

// A remark for people, in whatever form: only a name and a URL that are text are taken from it.
void TableReader::read_licence() {
  if (stream_.next() != Kind::object) return stream_.pass();
  Licence licence;
  stream_.enter();
  for (std::string_view key; stream_.member(key);) {
    std::string* const text = key == "name" ? &licence.name : key == "url" ? &licence.url : nullptr;
    if (text != nullptr && stream_.next() == Kind::string)
      *text = stream_.text();
    else
      stream_.pass();
  }
  if (licence != Licence{}) table_.licence = std::move(licence);
}

VqaTable TableReader::read() {
  if (stream_.next() != Kind::object) fail("a table is a JSON object");
  std::set<std::string, std::less<>> seen;
  stream_.enter();
  for (std::string_view key; stream_.member(key);) {
    const bool is_list = key == layout_.list, is_subtype = key == "data_subtype";
    if (!is_list && !is_subtype && key != "license") {
      stream_.pass();
      continue;
    }
    if (!seen.emplace(key).second) fail(fmt::format("duplicate key \"{}\" in one object", key));
    if (is_list) {
      read_list();
    } else if (is_subtype) {
      if (const Kind found = stream_.next(); found != Kind::string) fail(take_refused(key, found));
      table_.data_subtype = stream_.text();
    } else {
      read_licence();
    }
  }
  stream_.finish();
  faults_.refuse();
  if (!seen.contains(layout_.list))
    throw Error(
        ErrorKind::format,
        fmt::format(
            "{} has no key \"{}\"; check that it is the right file (questions and annotations are two)",
            name_, layout_.list));
  return std::move(table_);
}

}  // namespace

VqaTable read_questions(const std::filesystem::path& path, common::Progress& progress) {
  return TableReader(path, k_questions, progress).read();
}

VqaTable read_annotations(const std::filesystem::path& path, common::Progress& progress) {
  return TableReader(path, k_annotations, progress).read();
}

}  // namespace manifest
