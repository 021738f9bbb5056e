// A .jsonl that only grows at its end. A line is written by one call, so that a killed run leaves at most one
// unfinished line, the last; opening the file again cuts that off.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/file.hpp"
#include "common/json.hpp"
#include "common/sealed/folder.hpp"

namespace trainer {

// Of a file of a run that is lines, and of one that is a single JSON value.
inline constexpr std::uint64_t k_lines_limit_bytes = std::uint64_t{4} << 30;
inline constexpr std::uint64_t k_json_limit_bytes = std::uint64_t{64} << 20;

class JsonLines {
 public:
  // `folder` is locked by the caller.
  JsonLines(const common::Folder& folder, const std::string& name);
  // Survives a killed process; a power cut only after save().
  void append(const common::Json& record);
  // To the disk; gives what is there.
  common::FileDigest save();

 private:
  std::filesystem::path path_;  // for messages
  common::File file_;
};

}  // namespace trainer
