// Another program, run to its end.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/scratch.hpp"

namespace support {

struct Finished {
  int code = 0;  // the exit code, or 128 and the signal
  std::string out;
  std::string err;
};

inline std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void put_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// Runs `arguments` in `folder`, with nothing to read.
inline Finished run_process(const std::vector<std::string>& arguments,
                            const std::filesystem::path& folder = std::filesystem::current_path()) {
  const Scratch scratch;
  std::string command = "cd " + quoted(folder.string()) + " &&";
  for (const std::string& argument : arguments) command += " " + quoted(argument);
  command +=
      " </dev/null >" + quoted((scratch / "out").string()) + " 2>" + quoted((scratch / "err").string());
  const int status = std::system(command.c_str());
  Finished finished;
  finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  finished.out = text_of_file(scratch / "out");
  finished.err = text_of_file(scratch / "err");
  return finished;
}

// The peer of the interop tests; they say so and pass where it is missing.
inline bool has_python() {
  return run_process({"python3", "-c", "import sys; sys.exit(sys.version_info < (3, 8))"}).code == 0;
}

}  // namespace support
