// Comma-separated values as RFC 4180 has them, or with another separator: quotes, doubled quotes, line breaks
// inside quotes, LF or CRLF, a byte order mark, and the first line "sep=;" that Excel writes. What is
// ambiguous (a quote inside a bare field, text behind a closing quote, a quote that never closes, bytes that
// are not UTF-8) is an error that names the line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace manifest {

class CsvReader {
 public:
  // `text` must outlive the reader; `name` begins every error message.
  CsvReader(std::string_view text, std::string name, char separator = ',');
  // False at the end. Empty lines are passed over, as Python's csv does. After an error the next call begins
  // with the next line.
  bool next(std::vector<std::string>& fields);
  // Of the row that next() gave last: its first line, counted from 1.
  [[nodiscard]] std::size_t line() const { return row_line_; }
  // Throws a format error: "<name>, line <line()>: <what>".
  [[noreturn]] void fail(const std::string& what) const;

 private:
  [[nodiscard]] bool at(char c) const { return position_ < text_.size() && text_[position_] == c; }
  [[nodiscard]] bool at_line_end() const { return position_ == text_.size() || at('\n') || at('\r'); }
  void pass_line_end();
  void pass_separator_line();
  bool read_row(std::vector<std::string>& fields);
  std::string bare_field();
  std::string quoted_field();

  std::string_view text_;
  std::string name_;
  char separator_;
  bool is_broken_ = false;  // the row in which position_ stands
  std::size_t position_ = 0;
  std::size_t line_ = 1;
  std::size_t row_line_ = 1;
};

}  // namespace manifest
