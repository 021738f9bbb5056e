#include "common/json_stream.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include "common/error.hpp"
#include "common/json.hpp"
#include "common/program.hpp"

namespace common {
namespace {

// No token is longer than this.
constexpr std::size_t k_buffer_bytes = std::size_t{1} << 20;

}  // namespace

JsonStream::JsonStream(const std::filesystem::path& path, Progress& progress)
    : name_(path.string()), buffer_(k_buffer_bytes + k_plain_end_reads_on_bytes) {
  // A std::function can be copied, an open file cannot.
  const auto file = std::make_shared<File>(open_to_read(path));
  source_ = [file, path, &progress](char* to, std::size_t size) {
    const std::size_t got = file->read_some(to, size, path);
    progress.add(got);
    return got;
  };
  begin();
}

JsonStream::JsonStream(std::string_view text, std::string name)
    : name_(std::move(name)),
      // One byte more than the text has, or a full buffer could not tell that this is all.
      buffer_(std::min(k_buffer_bytes, text.size() + 1) + k_plain_end_reads_on_bytes) {
  source_ = [rest = text](char* to, std::size_t size) mutable {
    const std::size_t got = rest.copy(to, size);
    rest.remove_prefix(got);
    return got;
  };
  begin();
}

void JsonStream::begin() {
  at_ = end_ = buffer_.data();
  (void)read_more(at_);
  if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with("\xef\xbb\xbf")) at_ += 3;
}

void JsonStream::fail(const std::string& what) const {
  const std::string reason = at_ == end_ ? "it is truncated" : what;
  throw Error(ErrorKind::format,
              name_ + " is not valid JSON at byte " +
                  std::to_string(offset_ + static_cast<std::uint64_t>(at_ - buffer_.data())) + " (" + reason +
                  "); repair the file or name another");
}

void JsonStream::fail_at_end() {
  at_ = end_;
  fail({});
}

bool JsonStream::read_more(const char*& from) {
  throw_if_stop_requested();
  const auto kept = static_cast<std::size_t>(end_ - from);
  const auto ahead = at_ - from;
  const auto free_bytes = buffer_.size() - k_plain_end_reads_on_bytes - kept;
  if (free_bytes == 0) {
    at_ = from;  // where it begins
    fail("a text or number of more than " + std::to_string(k_buffer_bytes) + " bytes");
  }
  offset_ += static_cast<std::uint64_t>(from - buffer_.data());
  std::memmove(buffer_.data(), from, kept);
  const std::size_t size = source_(buffer_.data() + kept, free_bytes);
  std::memset(buffer_.data() + kept + size, 0, k_plain_end_reads_on_bytes);
  from = buffer_.data();
  at_ = from + ahead;
  end_ = from + kept + size;
  return size > 0;
}

void JsonStream::pass_space() {
  do {
    while (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t') ++at_;
  } while (at_ == end_ && read_more(at_));
}

JsonStream::Kind JsonStream::next_slowly() {
  pass_space();
  switch (*at_) {
    case '{':
      return Kind::object;
    case '[':
      return Kind::array;
    case '"':
      return Kind::string;
    case 't':
    case 'f':
    case 'n':
      return Kind::literal;
    default:
      if (*at_ != '-' && (*at_ < '0' || *at_ > '9')) fail("a value is expected");
      return Kind::number;
  }
}

void JsonStream::enter() {
  if (++depth_ > k_depth_limit) fail("nesting is deeper than 64 levels");
  ++at_;
  fresh_ = true;
}

bool JsonStream::member_slowly(std::string_view& key) {
  pass_space();
  if (*at_ == '}') {
    close();
    return false;
  }
  if (!fresh_) {
    if (*at_ != ',') fail("a comma or '}' is expected");
    ++at_;
    pass_space();
  }
  fresh_ = false;
  if (*at_ != '"') fail("a key in quotes is expected");
  key = text();
  if (*at_ != ':') {
    key = key_ = key;  // reading on may move the buffer
    pass_space();
    if (*at_ != ':') fail("a colon is expected");
  }
  ++at_;
  return true;
}

bool JsonStream::element_slowly() {
  pass_space();
  if (*at_ == ']') {
    close();
    return false;
  }
  if (!fresh_) {
    if (*at_ != ',') fail("a comma or ']' is expected");
    ++at_;
  }
  fresh_ = false;
  return true;
}

// Of the text that at_ stands before, all of which is in the buffer afterwards.
const char* JsonStream::closing_quote() {
  const char* begin = at_;
  for (++at_;;) {
    at_ = plain_end(at_);
    if (at_ == end_) {
      if (!read_more(begin)) fail_at_end();
    } else if (*at_ == '"') {
      break;
    } else if (*at_ == '\\') {
      if (end_ - at_ < 2 && !read_more(begin)) fail_at_end();
      at_ += 2;
    } else if (static_cast<unsigned char>(*at_) < 0x20) {
      fail("a control character in a text");
    } else {
      ++at_;
    }
  }
  const char* const quote = at_;
  at_ = begin;
  return quote;
}

std::string_view JsonStream::decoded_text() {
  const char* const quote = closing_quote();
  const std::string why = unescape({at_ + 1, static_cast<std::size_t>(quote - at_ - 1)}, decoded_);
  if (!why.empty()) fail(why + " in the text that begins here");
  at_ = quote + 1;
  return decoded_;
}

JsonNumber JsonStream::number() {
  const char* begin = at_;
  do {
    while (may_be_in_number(*at_)) ++at_;
  } while (at_ == end_ && read_more(begin));
  const char* const end = at_;
  at_ = begin;
  JsonNumber number;
  const std::string why = parse_number({begin, static_cast<std::size_t>(end - begin)}, number);
  if (!why.empty()) fail(why);
  at_ = end;
  return number;
}

JsonLiteral JsonStream::literal() {
  constexpr std::string_view k_longest = "false";
  while (static_cast<std::size_t>(end_ - at_) < k_longest.size() && read_more(at_)) continue;
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  using Word = std::pair<std::string_view, JsonLiteral>;
  for (const Word& word :
       {Word{"true", JsonLiteral::yes}, {"false", JsonLiteral::no}, {"null", JsonLiteral::null}})
    if (rest.starts_with(word.first)) {
      at_ += word.first.size();
      return word.second;
    }
  fail("a value is expected");
}

void JsonStream::pass_slowly() {
  switch (next()) {
    case Kind::object:
      enter();
      for (std::string_view key; member(key);) pass();
      return;
    case Kind::array:
      enter();
      while (element()) pass();
      return;
    case Kind::string:
      (void)text();
      return;
    case Kind::number:
      (void)number();
      return;
    case Kind::literal:
      (void)literal();
      return;
  }
}

void JsonStream::finish() {
  pass_space();
  if (at_ != end_) fail("there is text after the end of the document");
}

}  // namespace common
