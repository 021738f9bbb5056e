#include "manifest/tables/csv.hpp"

#include <utility>

#include "common/error.hpp"
#include "common/utf8.hpp"

namespace manifest {

CsvReader::CsvReader(std::string_view text, std::string name, char separator)
    : text_(text), name_(std::move(name)), separator_(separator) {
  if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
  pass_separator_line();
}

void CsvReader::pass_separator_line() {
  constexpr std::string_view k_key = "sep=";
  const std::size_t end = text_.find_first_of("\r\n");
  if (!text_.starts_with(k_key) || end != k_key.size() + 1) return;
  if (std::string_view(",;\t|").find(text_[k_key.size()]) == std::string_view::npos) return;
  separator_ = text_[k_key.size()];
  position_ = end;
  pass_line_end();
}

void CsvReader::fail(const std::string& what) const {
  throw common::Error(common::ErrorKind::format,
                      name_ + ", line " + std::to_string(row_line_) + ": " + what + "; correct the table");
}

bool CsvReader::next(std::vector<std::string>& fields) {
  if (is_broken_) {
    while (position_ < text_.size() && !at('\n')) ++position_;
    if (position_ < text_.size()) pass_line_end();
  }
  is_broken_ = true;
  const bool more = read_row(fields);
  is_broken_ = false;
  return more;
}

bool CsvReader::read_row(std::vector<std::string>& fields) {
  fields.clear();
  while (position_ < text_.size() && at_line_end()) pass_line_end();
  if (position_ == text_.size()) return false;
  row_line_ = line_;
  for (;;) {
    fields.push_back(at('"') ? quoted_field() : bare_field());
    if (!common::is_utf8(fields.back())) fail("field " + std::to_string(fields.size()) + " is not UTF-8");
    if (at_line_end()) break;
    if (!at(separator_)) fail("text after the closing quote of field " + std::to_string(fields.size()));
    ++position_;
  }
  if (position_ < text_.size()) pass_line_end();
  return true;
}

void CsvReader::pass_line_end() {
  if (at('\r')) {
    ++position_;
    if (!at('\n')) {
      row_line_ = line_;
      fail("a carriage return without a line feed");
    }
  }
  ++position_;
  ++line_;
}

std::string CsvReader::bare_field() {
  const std::size_t begin = position_;
  while (!at_line_end() && !at(separator_)) {
    if (at('"')) fail("a quote inside a field that is not quoted");
    ++position_;
  }
  return std::string(text_.substr(begin, position_ - begin));
}

std::string CsvReader::quoted_field() {
  std::string field;
  ++position_;
  for (; position_ < text_.size(); ++position_) {
    if (at('"')) {
      ++position_;
      if (!at('"')) return field;
    } else if (at('\n')) {
      ++line_;
    }
    field += text_[position_];
  }
  fail("a quote that never closes");
}

}  // namespace manifest
