#include "manifest/vqa_tables.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/json.hpp"
#include "common/parallel.hpp"
#include "common/program.hpp"
#include "common/python_text.hpp"

namespace manifest {
namespace {

using common::Error;
using common::ErrorKind;

constexpr std::size_t k_buffer_bytes = std::size_t{1} << 18;

// The bytes of a file, one after the other.
class Source {
 public:
  Source(const std::filesystem::path& path, common::Progress& progress)
      : path_(path), file_(common::open_to_read(path)), buffer_(k_buffer_bytes), progress_(progress) {
    fill();
  }
  [[nodiscard]] bool at_end() const { return size_ == 0; }
  [[nodiscard]] char current() const { return buffer_[position_]; }
  void advance() {
    if (++position_ == size_) fill();
  }

 private:
  void fill() {
    common::throw_if_stop_requested();
    position_ = 0;
    size_ = file_.read_some(buffer_.data(), buffer_.size(), path_);
    progress_.add(size_);
  }

  const std::filesystem::path& path_;
  common::File file_;
  std::vector<char> buffer_;
  common::Progress& progress_;
  std::size_t position_ = 0;
  std::size_t size_ = 0;
};

// What nlohmann's parser wants to read from: an input iterator; a default one is the end.
class SourceIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  SourceIterator() = default;
  explicit SourceIterator(Source& source) : source_(&source) {}
  char operator*() const { return source_->current(); }
  SourceIterator& operator++() {
    source_->advance();
    return *this;
  }
  SourceIterator operator++(int) = delete;
  bool operator==(const SourceIterator& other) const { return done() == other.done(); }

 private:
  [[nodiscard]] bool done() const { return source_ == nullptr || source_->at_end(); }
  Source* source_ = nullptr;
};

// One table, rows as they stand in the file.
struct Table {
  struct Row {
    std::int64_t question_id = 0;
    std::int64_t image_id = 0;   // questions only
    std::size_t first_text = 0;  // the question, or the first answer
    std::size_t text_count = 0;
  };
  std::vector<Row> rows;
  TextList texts;
  std::string data_subtype;
};

enum class Field : std::uint8_t {
  none,
  list,
  data_subtype,
  question_id,
  image_id,
  question,
  answers,
  answer
};
constexpr std::array<const char*, 8> k_field_names = {"",         "",         "data_subtype", "question_id",
                                                      "image_id", "question", "answers",      "answer"};

// What differs between the two tables.
struct Layout {
  const char* list;
  std::span<const Field> row_fields;
};
constexpr std::array k_question_fields = {Field::question_id, Field::image_id, Field::question};
constexpr std::array k_annotation_fields = {Field::question_id, Field::answers};
constexpr Layout k_questions = {"questions", k_question_fields};
constexpr Layout k_annotations = {"annotations", k_annotation_fields};

// Picks the wanted fields out of the stream of JSON events and checks them; everything else passes by. As
// strict as common::parse_json about duplicate keys (of wanted fields), integers, surrogates and depth.
class TableBuilder : public nlohmann::json_sax<common::Json> {
 public:
  TableBuilder(Table& table, const Layout& layout, const std::string& name)
      : table_(table), layout_(layout), name_(name) {}

  bool null() override { return scalar("null"); }
  bool boolean(bool /*value*/) override { return scalar("a boolean"); }
  bool number_integer(std::int64_t value) override { return integer(value); }
  bool number_unsigned(std::uint64_t value) override {
    if (value > static_cast<std::uint64_t>(INT64_MAX)) return scalar("an integer beyond 64 bits");
    return integer(static_cast<std::int64_t>(value));
  }
  bool number_float(double /*value*/, const std::string& /*text*/) override {
    return scalar("another number");
  }
  bool binary(common::Json::binary_t& /*value*/) override { return false; }
  bool string(std::string& value) override;
  bool start_object(std::size_t /*size*/) override;
  bool start_array(std::size_t /*size*/) override;
  bool end_object() override;
  bool end_array() override {
    scopes_.pop_back();
    field_ = Field::none;
    return true;
  }
  bool key(std::string& value) override;
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception& error) override;

  [[nodiscard]] bool has_list() const { return seen(Field::list); }

 private:
  enum class Scope : std::uint8_t { root, list, row, answers, answer, other };

  [[nodiscard]] bool seen(Field field) const { return (seen_ >> static_cast<unsigned>(field) & 1U) != 0; }
  void forget(Field field) { seen_ &= ~(1U << static_cast<unsigned>(field)); }
  [[nodiscard]] Field field_of(const std::string& key) const;
  [[noreturn]] void fail(const std::string& what) const;
  // A value that is not of the wanted type: an error where a field is wanted, passed by elsewhere.
  bool scalar(const char* found);
  bool integer(std::int64_t value);
  void enter(Scope scope);
  void require(Field field) const {
    if (!seen(field))
      fail(std::string("there is no key \"") + k_field_names[static_cast<std::size_t>(field)] + "\"");
  }

  Table& table_;
  const Layout& layout_;
  const std::string& name_;
  std::vector<Scope> scopes_;
  Field field_ = Field::none;  // the wanted field whose value comes next
  unsigned seen_ = 0;          // one bit for each Field: its key has come in the object it belongs to
  Table::Row row_;
};

void TableBuilder::fail(const std::string& what) const {
  std::string where = name_;
  if (scopes_.size() > 1)
    where += std::string(": ") + layout_.list + " row " + std::to_string(table_.rows.size() + 1);
  throw Error(ErrorKind::format, where + ": " + what + "; check that it is the right file");
}

Field TableBuilder::field_of(const std::string& key) const {
  switch (scopes_.back()) {
    case Scope::root:
      if (key == layout_.list) return Field::list;
      return key == "data_subtype" ? Field::data_subtype : Field::none;
    case Scope::row:
      for (const Field field : layout_.row_fields)
        if (key == k_field_names[static_cast<std::size_t>(field)]) return field;
      return Field::none;
    case Scope::answer:
      return key == "answer" ? Field::answer : Field::none;
    default:
      return Field::none;
  }
}

bool TableBuilder::key(std::string& value) {
  field_ = field_of(value);
  if (field_ == Field::none) return true;
  if (seen(field_)) fail("the key \"" + value + "\" stands twice in one object");
  seen_ |= 1U << static_cast<unsigned>(field_);
  return true;
}

bool TableBuilder::scalar(const char* found) {
  if (scopes_.empty()) fail("a table is a JSON object");
  if (scopes_.back() == Scope::list || scopes_.back() == Scope::answers)
    fail(std::string("a list must hold objects, found ") + found);
  if (field_ == Field::list) fail(std::string("\"") + layout_.list + "\" must be a list, found " + found);
  if (field_ != Field::none)
    fail(std::string("\"") + k_field_names[static_cast<std::size_t>(field_)] + "\" cannot be " + found);
  return true;
}

bool TableBuilder::integer(std::int64_t value) {
  if (field_ == Field::question_id)
    row_.question_id = value;
  else if (field_ == Field::image_id)
    row_.image_id = value;
  else
    return scalar("an integer");
  field_ = Field::none;
  return true;
}

bool TableBuilder::string(std::string& value) {
  if (field_ == Field::data_subtype) {
    table_.data_subtype = value;
  } else if (field_ == Field::question || field_ == Field::answer) {
    if (value.size() > k_text_limit_bytes)
      fail("a text is longer than " + std::to_string(k_text_limit_bytes) + " bytes");
    table_.texts.add(common::python_strip(value));
    ++row_.text_count;
  } else {
    return scalar("a string");
  }
  field_ = Field::none;
  return true;
}

void TableBuilder::enter(Scope scope) {
  if (scopes_.size() >= static_cast<std::size_t>(common::k_depth_limit))
    fail("nesting is deeper than 64 levels");
  scopes_.push_back(scope);
  field_ = Field::none;
}

bool TableBuilder::start_object(std::size_t /*size*/) {
  if (scopes_.empty()) {
    enter(Scope::root);
  } else if (scopes_.back() == Scope::list) {
    enter(Scope::row);
    row_ = {};
    row_.first_text = table_.texts.size();
    for (const Field field : layout_.row_fields) forget(field);
  } else if (scopes_.back() == Scope::answers) {
    enter(Scope::answer);
    forget(Field::answer);
  } else {
    scalar("an object");
    enter(Scope::other);
  }
  return true;
}

bool TableBuilder::start_array(std::size_t /*size*/) {
  if (field_ == Field::list) {
    enter(Scope::list);
  } else if (field_ == Field::answers) {
    enter(Scope::answers);
  } else {
    scalar("a list");
    enter(Scope::other);
  }
  return true;
}

bool TableBuilder::end_object() {
  if (scopes_.back() == Scope::row) {
    for (const Field field : layout_.row_fields) require(field);
    table_.rows.push_back(row_);
  } else if (scopes_.back() == Scope::answer) {
    require(Field::answer);
  }
  return end_array();
}

bool TableBuilder::parse_error(std::size_t position, const std::string& /*token*/,
                               const nlohmann::detail::exception& error) {
  std::string reason = error.what();
  if (const std::size_t at = reason.find("] "); at != std::string::npos) reason = reason.substr(at + 2);
  throw Error(ErrorKind::format, name_ + " is not valid JSON at byte " + std::to_string(position) + " (" +
                                     reason + "); repair the file or name another");
}

Table read_table(const std::filesystem::path& path, const Layout& layout, common::Progress& progress) {
  Table table;
  const std::string name = path.string();
  TableBuilder builder(table, layout, name);
  Source source(path, progress);
  common::Json::sax_parse(SourceIterator(source), SourceIterator(), &builder);
  if (!builder.has_list())
    throw Error(ErrorKind::format,
                name + " has no key \"" + layout.list +
                    "\"; check that it is the right file (questions and annotations are two)");
  // Where an id stands more than once, the last row is the one that counts.
  auto& rows = table.rows;
  std::reverse(rows.begin(), rows.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Table::Row& a, const Table::Row& b) { return a.question_id < b.question_id; });
  rows.erase(
      std::unique(rows.begin(), rows.end(),
                  [](const Table::Row& a, const Table::Row& b) { return a.question_id == b.question_id; }),
      rows.end());
  return table;
}

}  // namespace

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

VqaTables read_vqa_tables(const std::filesystem::path& questions, const std::filesystem::path& annotations,
                          unsigned threads, common::Verbosity verbosity) {
  std::uint64_t size_bytes = 0;
  for (const auto& path : {questions, annotations})
    size_bytes += common::size_of(common::open_to_read(path), path);
  common::Progress progress("reading", "bytes", size_bytes, verbosity);
  std::array<Table, 2> read;
  common::parallel_for(2, threads, [&](std::size_t i) {
    read[i] = read_table(i == 0 ? questions : annotations, i == 0 ? k_questions : k_annotations, progress);
  });

  VqaTables tables;
  auto annotation = read[1].rows.begin();
  for (const Table::Row& row : read[0].rows) {
    while (annotation != read[1].rows.end() && annotation->question_id < row.question_id) ++annotation;
    if (annotation == read[1].rows.end()) break;
    if (annotation->question_id == row.question_id)
      tables.rows_.push_back(
          {row.question_id, row.image_id, row.first_text, annotation->first_text, annotation->text_count});
  }
  tables.questions_ = std::move(read[0].texts);
  tables.answers_ = std::move(read[1].texts);
  tables.data_subtype_ = std::move(read[0].data_subtype);
  return tables;
}

}  // namespace manifest
