// One exception with a kind. The kind decides the exit code of a program; the message says what was being
// done, to what, expected against found, and last what the user can do.
#pragma once

#include <stdexcept>
#include <string>

namespace common {

enum class ErrorKind {
  usage,        // the command line asks for something that cannot be meant: exit 2
  io,           // not there, unreadable, no space: exit 3
  format,       // an input table or JSON does not parse: exit 3
  mismatch,     // the data says no: a damaged or leaking pack, missing sources: exit 1
  signature,    // a required signature is absent or wrong: exit 4
  stopped,      // asked to stop, has saved, can resume: exit 75
  interrupted,  // SIGINT or SIGTERM before anything could be saved: exit 130
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

[[nodiscard]] int exit_code(ErrorKind kind);

// `what` with ": <strerror(errno)>" appended; for failures of system calls.
[[noreturn]] void throw_errno(const std::string& what);

[[noreturn]] void ensure_failed(const char* condition, const char* file, int line);

}  // namespace common

// A bug of ours, never a property of a file: on in every build.
#define ENSURE(condition) \
  (static_cast<bool>(condition) ? void(0) : ::common::ensure_failed(#condition, __FILE__, __LINE__))
