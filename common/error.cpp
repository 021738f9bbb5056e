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

namespace {

// What to do about an error of the system, where that is the same whatever was tried.
const char* remedy_for(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return "; make room there, and give the same command again";
    case EROFS:
      return "; nothing can be written there: name a folder elsewhere";
    case EMFILE:
    case ENFILE:
      return "; allow more open files (ulimit -n)";
    case EIO:
    case ESTALE:
      return "; the disk or the network file system failed: check it, and give the same command again";
    default:
      return "";
  }
}

}  // namespace

void throw_errno(const std::string& what) {
  const int code = errno;
  throw Error(ErrorKind::io, what + ": " + std::strerror(code) + remedy_for(code));
}

void ensure_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "bug: %s does not hold at %s:%d; please report it\n", condition, file, line);
  std::abort();
}

}  // namespace common
