// JSON pulled token by token in constant memory: for tables that are too large for a document and too slow as
// nlohmann's events, and for texts of strangers, of which nothing is kept that nobody asked for. Every byte
// is judged, also of values that are passed over: the grammar of RFC 8259, UTF-8, no lone surrogates, at most
// k_depth_limit levels. What breaks it is a format error that names the file and the byte. A signal ends the
// reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.hpp"
#include "common/json_token.hpp"
#include "common/progress.hpp"

namespace common {

enum class JsonLiteral { null, yes, no };

class JsonStream {
 public:
  enum class Kind { object, array, string, number, literal };

  // `progress` is told of the bytes that were read.
  JsonStream(const std::filesystem::path& path, Progress& progress);
  // Of a text that outlives it; `name` begins every error message.
  JsonStream(std::string_view text, std::string name);

  // The value that comes next; the calls below take it.
  Kind next();
  // Of an object or array: its members or elements come next.
  void enter();
  // In an object: true with the next key, whose value must be taken before the next call; false past the end.
  // `key` is good until the value is asked for.
  bool member(std::string_view& key);
  // In an array: true where another element comes; false past the end.
  bool element();
  // Decoded; good until the next call, as the text of a number is.
  std::string_view text();
  JsonNumber number();
  JsonLiteral literal();
  // Any value.
  void pass();
  // Behind the last value only white space may follow.
  void finish();

 private:
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail_at_end();
  // What the calls above do not do at a glance: white space in unusual places, what lies across two reads,
  // errors.
  Kind next_slowly();
  bool member_slowly(std::string_view& key);
  bool element_slowly();
  void pass_slowly();
  void pass_space();
  void close();
  // Reads on, keeping what begins at `from`, which moves with at_; false at the end of the file.
  bool read_more(const char*& from);
  std::string_view decoded_text();
  const char* closing_quote();
  void begin();

  // Gives up to `size` bytes, and 0 at the end.
  using Source = std::function<std::size_t(char* to, std::size_t size)>;

  std::string name_;
  Source source_;
  std::vector<char> buffer_;
  std::uint64_t offset_ = 0;  // of the buffer's first byte in the file
  const char* at_ = nullptr;
  const char* end_ = nullptr;  // zeros follow, which no token holds
  bool fresh_ = false;         // nothing of the innermost object or array has come yet
  int depth_ = 0;
  std::string decoded_, key_;
};

// What follows is called a hundred times for each row of a table, and keeps at_ in a register.

inline JsonStream::Kind JsonStream::next() {
  switch (*at_) {
    case '"':
      return Kind::string;
    case '{':
      return Kind::object;
    case '[':
      return Kind::array;
    default:
      return next_slowly();
  }
}

inline void JsonStream::close() {
  ++at_;
  --depth_;
  fresh_ = false;
}

inline bool JsonStream::member(std::string_view& key) {
  const char* begin = at_;
  if (*begin == '}') {
    close();
    return false;
  }
  if (!fresh_ && *begin == ',') begin += begin[1] == ' ' ? 2 : 1;
  if (*begin != '"' || (begin == at_ && !fresh_)) return member_slowly(key);
  const char* const end = plain_end(begin + 1);
  if (*end != '"' || end[1] != ':') return member_slowly(key);
  key = {begin + 1, static_cast<std::size_t>(end - begin - 1)};
  at_ = end + (end[2] == ' ' ? 3 : 2);
  fresh_ = false;
  return true;
}

inline bool JsonStream::element() {
  if (fresh_ || *at_ != ',') return element_slowly();
  at_ += at_[1] == ' ' ? 2 : 1;
  return true;
}

inline std::string_view JsonStream::text() {
  const char* const begin = at_ + 1;
  const char* const end = plain_end(begin);
  if (*end != '"') return decoded_text();
  at_ = end + 1;
  return {begin, static_cast<std::size_t>(end - begin)};
}

inline void JsonStream::pass() {
  if (*at_ == '"')
    (void)text();
  else
    pass_slowly();
}

}  // namespace common
