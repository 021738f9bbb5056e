// Commands that a program prints for its user to copy: every word arrives at the next program as it was.
#pragma once

#include <string>
#include <vector>

namespace common {

// `word` as a POSIX shell reads it; quoted only where it must be.
[[nodiscard]] std::string quote_for_shell(const std::string& word);
// The words of one command, each quoted as needed.
[[nodiscard]] std::string shell_command(const std::vector<std::string>& words);

}  // namespace common
