// What a function writes to the standard error.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>

#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"

namespace support {

inline std::string said_by(const std::function<void()>& work) {
  const Scratch scratch;
  const std::filesystem::path file = scratch / "err";
  std::fflush(stderr);
  const int before = ::dup(STDERR_FILENO);
  const int to = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
  ::dup2(to, STDERR_FILENO);
  const auto restore = [&] {
    std::fflush(stderr);
    ::dup2(before, STDERR_FILENO);
    ::close(before);
    ::close(to);
  };
  try {
    work();
  } catch (...) {
    restore();
    throw;
  }
  restore();
  return text_of_file(file);
}

// How often `part` stands in `text`.
inline std::size_t count_in(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

}  // namespace support
