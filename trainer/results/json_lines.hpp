// A .jsonl that only grows at its end. A line is written by one call, so that a killed run leaves at most one
// unfinished line, the last; opening the file again cuts that off.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/file.hpp"
#include "common/json.hpp"

namespace trainer {

class JsonLines {
 public:
  explicit JsonLines(std::filesystem::path path);
  void append(const common::Json& record);
  // Keeps the records up to the first whose integer `key` is above `last`; on resume, "step" and the
  // checkpoint's.
  void truncate_after(const char* key, std::int64_t last);
  void clear();
  // To the disk; an append alone survives a killed process, not a power cut.
  void sync();

 private:
  std::filesystem::path path_;
  common::File file_;
};

}  // namespace trainer
