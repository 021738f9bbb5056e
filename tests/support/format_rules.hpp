// The rule ids of packer/FORMAT.md.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "common/file.hpp"

namespace support {

inline std::string format_text() {
  return common::read_text(std::filesystem::path(SAFE_SOURCE_DIR) / "packer/FORMAT.md", 1 << 20);
}

// Rules that say MUST and whose id begins with one of `groups`. A rule is a list item: "- **F2** Its SHA-256
// MUST ...".
inline std::set<std::string> rules_with_must(const std::string& groups) {
  const std::string text = format_text();
  const std::string begin = "\n- **";
  std::set<std::string> rules;
  for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
    const std::string id = text.substr(at + begin.size(), 2);
    const std::string body = text.substr(at, text.find("\n\n", at) - at);
    const std::string item = body.substr(0, body.find("\n- ", 1));
    if (groups.find(id[0]) != std::string::npos && item.find("MUST") != std::string::npos) rules.insert(id);
  }
  return rules;
}

}  // namespace support
