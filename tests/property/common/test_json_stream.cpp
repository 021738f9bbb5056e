// The reader of large tables against nlohmann's: what one accepts the other does, and they see the same.
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/json.hpp"
#include "common/json_stream.hpp"
#include "common/random.hpp"
#include "tests/support/process.hpp"

#include <doctest/doctest.h>

using common::JsonStream;

namespace {

const std::string k_refused = "refused";

// One letter and the value for each token.
void trace_of(JsonStream& stream, std::string& trace) {
  switch (stream.next()) {
    case JsonStream::Kind::object:
      stream.enter();
      trace += '{';
      for (std::string_view key; stream.member(key);) {
        trace += "k" + std::string(key) + ";";
        trace_of(stream, trace);
      }
      trace += '}';
      return;
    case JsonStream::Kind::array:
      stream.enter();
      trace += '[';
      while (stream.element()) trace_of(stream, trace);
      trace += ']';
      return;
    case JsonStream::Kind::string:
      trace += "s" + std::string(stream.text()) + ";";
      return;
    case JsonStream::Kind::number: {
      const common::JsonNumber number = stream.number();
      trace +=
          number.kind == common::JsonNumber::Kind::integer ? "i" + std::to_string(number.value) + ";" : "n";
      return;
    }
    case JsonStream::Kind::literal:
      stream.pass();
      trace += 'l';
      return;
  }
}

std::string our_trace(const std::string& text, const std::filesystem::path& path) {
  support::put_file(path, text);
  common::Progress progress("", "", 0, common::Verbosity::quiet);
  try {
    JsonStream stream(path, progress);
    std::string trace;
    trace_of(stream, trace);
    stream.finish();
    return trace;
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::format);
    return k_refused;
  }
}

class Tracer : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add("l"); }
  bool boolean(bool /*value*/) override { return add("l"); }
  bool number_integer(std::int64_t value) override { return add("i" + std::to_string(value) + ";"); }
  bool number_unsigned(std::uint64_t value) override {
    return value > static_cast<std::uint64_t>(INT64_MAX) ? add("n") : add("i" + std::to_string(value) + ";");
  }
  bool number_float(double /*value*/, const std::string& /*text*/) override { return add("n"); }
  bool string(std::string& value) override { return add("s" + value + ";"); }
  bool binary(nlohmann::json::binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return add("{"); }
  bool key(std::string& value) override { return add("k" + value + ";"); }
  bool end_object() override { return add("}"); }
  bool start_array(std::size_t /*size*/) override { return add("["); }
  bool end_array() override { return add("]"); }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    constexpr int k_too_large_for_a_double = 406;
    overflow = error.id == k_too_large_for_a_double;
    return false;
  }
  std::string trace;
  bool overflow = false;

 private:
  bool add(const std::string& token) {
    trace += token;
    return true;
  }
};

// A number beyond doubles is none of the stream's business; nothing is said of texts that hold one. To
// nlohmann a zero byte behind the document is its end; to RFC 8259 it is not.
std::string their_trace(const std::string& text, bool& comparable) {
  Tracer tracer;
  const bool good = nlohmann::json::sax_parse(text, &tracer);
  comparable = !tracer.overflow;
  return good && text.find('\0') == std::string::npos ? tracer.trace : k_refused;
}

std::string mutated(std::string text, common::Random& random) {
  static const std::vector<std::string> k_pieces = {"\"",
                                                    "\\",
                                                    "{",
                                                    "}",
                                                    "[",
                                                    "]",
                                                    ",",
                                                    ":",
                                                    "0",
                                                    "-",
                                                    ".",
                                                    "e",
                                                    "1",
                                                    " ",
                                                    "\n",
                                                    "\\u",
                                                    "\\ud83d",
                                                    "\\ude00",
                                                    "\\u0000",
                                                    "\\n",
                                                    "true",
                                                    "null",
                                                    "\xc3\xa9",
                                                    "\xed\xa0\x80",
                                                    "\xc0\xaf",
                                                    "\xf4\x90\x80\x80",
                                                    "\xff",
                                                    "\x1f",
                                                    "\x7f",
                                                    "9223372036854775807",
                                                    "9223372036854775808",
                                                    "-9223372036854775808",
                                                    "-9223372036854775809",
                                                    "18446744073709551616",
                                                    "1E+2",
                                                    "/",
                                                    "\xe2\x80\xa8",
                                                    std::string(1, '\0')};
  for (std::uint64_t count = random.below(4); count > 0; --count) {
    const std::uint64_t at = random.below(text.size() + 1);
    switch (random.below(3)) {
      case 0:
        text.insert(at, random.choice(k_pieces));
        break;
      case 1:
        text.erase(at, 1 + random.below(3));
        break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(random.below(256));
    }
  }
  return text;
}

}  // namespace

TEST_CASE(
    "what nlohmann accepts the stream accepts with the same tokens, what it refuses the stream refuses") {
  constexpr std::int64_t k_seed = 77;
  constexpr int k_cases = 8000;
  INFO("seed " << k_seed);
  const support::Scratch scratch;
  common::Random random(k_seed);
  const std::string plain =
      R"({"a b": [1, -2, 30.5e-1, 0, true, false, null, "", "x\u00e9\n\ud83d\ude00"], "long enough for two words":)"
      "{}, \"\xc3\xa9\": [[], {\"k\":\"v\"}]}";
  int accepted = 0, wrong = 0;
  for (int i = 0; i < k_cases; ++i) {
    const std::string text = mutated(plain, random);
    bool comparable = true;
    const std::string theirs = their_trace(text, comparable);
    if (!comparable) continue;
    const std::string ours = our_trace(text, scratch / "text");
    accepted += ours != k_refused ? 1 : 0;
    if (ours != theirs && ++wrong <= 3)
      MESSAGE("differs: " << text << "\nours: " << ours << "\ntheirs: " << theirs);
  }
  CHECK(wrong == 0);
  CHECK(accepted > k_cases / 5);
  CHECK(accepted < k_cases * 4 / 5);
}

TEST_CASE("tokens that lie across two reads of the file are whole") {
  const support::Scratch scratch;
  const std::string tokens =
      "\"plain\", \"\\u00e9\\\"\\\\\", 123456789, -1.5e3, true, \"\xc3\xa9\", {\"key\" : false}]";
  bool comparable = true;
  const std::string expected = their_trace("[" + tokens, comparable);
  constexpr std::size_t k_read_bytes = std::size_t{1} << 20;
  for (std::size_t back = 0; back <= tokens.size() + 1; ++back)
    CHECK(our_trace("[" + std::string(k_read_bytes - back, ' ') + tokens, scratch / "text") == expected);
}

TEST_CASE("a text or number that no table has is refused before it takes memory") {
  const support::Scratch scratch;
  common::Progress progress("", "", 0, common::Verbosity::quiet);
  constexpr std::size_t k_huge = std::size_t{3} << 20;
  for (const std::string& text : {"\"" + std::string(k_huge, 'x') + "\"", std::string(k_huge, '1')}) {
    support::put_file(scratch / "text", text);
    JsonStream stream(scratch / "text", progress);
    CHECK_THROWS_WITH_AS(stream.pass(), doctest::Contains("more than 1048576 bytes"), common::Error);
  }
}
