#include "common/error.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace common {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return 2;
    case ErrorKind::io:
    case ErrorKind::format:
      return 3;
    case ErrorKind::mismatch:
      return 1;
    case ErrorKind::signature:
      return 4;
    case ErrorKind::stopped:
      return 75;
    case ErrorKind::interrupted:
      return 130;
  }
  return 3;
}

void throw_errno(const std::string& what) {
  const int code = errno;
  throw Error(ErrorKind::io, what + ": " + std::strerror(code));
}

void ensure_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "bug: %s does not hold at %s:%d; please report it\n", condition, file, line);
  std::abort();
}

}  // namespace common
