#include "common/error.hpp"

#include <cerrno>
#include <string>

#include <doctest/doctest.h>

TEST_CASE("an error of the system says what to do about it, where that follows from the error alone") {
  const auto said = [](int code) {
    errno = code;
    try {
      common::throw_errno("cannot write here");
    } catch (const common::Error& error) {
      CHECK(error.kind() == common::ErrorKind::io);
      return std::string(error.what());
    }
  };
  CHECK(said(ENOSPC) ==
        "cannot write here: No space left on device; make room there, and give the same command again");
  CHECK(said(EDQUOT).ends_with("; make room there, and give the same command again"));
  CHECK(said(EROFS).ends_with("name a folder elsewhere"));
  CHECK(said(EMFILE).ends_with("(ulimit -n)"));
  CHECK(said(EACCES) == "cannot write here: Permission denied");
}
