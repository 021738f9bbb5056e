#include "common/terminal.hpp"

#include <filesystem>
#include <set>

#include "tests/support/process.hpp"

#include <doctest/doctest.h>

TEST_CASE("nothing that a terminal acts on is printed as it is, and every script stays legible") {
  const struct {
    const char* text;
    const char* one_line;
  } cases[] = {
      {"plain text_1.wav", "plain text_1.wav"},
      {"caf\xc3\xa9 \xe7\x8a\xac \xd7\x9b\xd7\x9c\xd7\x91",
       "caf\xc3\xa9 \xe7\x8a\xac \xd7\x9b\xd7\x9c\xd7\x91"},
      {"\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"},
      {"a\rb\nc\td\x7f", "a\\x0db\\x0ac\\x09d\\x7f"},
      {"\xc2\x9b"
       "31m",
       "\\x9b31m"},                               // the CSI of C1
      {"gpj.\xe2\x80\xaewav", "gpj.\\u202ewav"},  // right-to-left override
      {"\xe2\x81\xa6"
       "a\xe2\x81\xa9",
       "\\u2066a\\u2069"},                  // isolates
      {"\xff\xfe", "\\xff\\xfe"},           // no UTF-8
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},  // a surrogate
      {"a\\x1b", "a\\x5cx1b"},              // cannot pass for an escape
  };
  for (const auto& row : cases) {
    CAPTURE(row.text);
    CHECK(common::escape_for_terminal(row.text) == row.one_line);
  }
  CHECK(common::escape_message("two\nlines \\x1b \x1b") == "two\nlines \\x1b \\x1b");
}

// A caller that prints by itself could forget to escape.
TEST_CASE("what programs print goes through one place") {
  // Progress draws its moving line, a bug is told before anything else is safe, and help is our own text.
  const std::set<std::string> allowed = {"common/terminal.cpp",    "common/terminal.hpp",
                                         "common/progress.cpp",    "common/error.cpp",
                                         "common/cli/program.cpp", "common/cli/print_json.cpp"};
  const std::filesystem::path root = SAFE_SOURCE_DIR;
  for (const char* folder : {"common", "manifest", "packer", "trainer"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const std::string path = std::filesystem::relative(entry.path(), root).string();
      if (!entry.is_regular_file() || allowed.count(path) != 0) continue;
      CAPTURE(path);
      const std::string text = support::text_of_file(entry.path());
      for (const char* way :
           {"std::printf", "std::fprintf", "fmt::print", "std::puts", "std::cout", "std::cerr"})
        CHECK_MESSAGE(text.find(way) == std::string::npos, way);
    }
}
