#include "common/shell.hpp"
#include "tests/support/process.hpp"

#include <doctest/doctest.h>

TEST_CASE("a command that is printed gives a shell the words that it was made of") {
  const std::vector<std::string> words = {
      "printf", "[%s]", "plain/path.tar", "with space", "it's", "$HOME", "a*b", "",
      "~",      "-o",   "\"q\"",          "new\nline"};
  const std::string command = common::shell_command(words);
  CHECK(support::run_process({"sh", "-c", command}).out ==
        "[plain/path.tar][with space][it's][$HOME][a*b][][~][-o][\"q\"][new\nline]");
  CHECK(common::quote_for_shell("plain/path.tar") == "plain/path.tar");
}
