#include "common/sealed/outside.hpp"

#include <filesystem>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/sealed/draft.hpp"
#include "common/sealed/draft_file.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;

TEST_CASE("nothing is put into a sealed folder, by whatever way it is named") {
  const support::Scratch scratch;
  for (const char* facts : {"pack.json", "metrics.json"}) {
    const fs::path sealed = scratch / (std::string("sealed-") + facts);
    fs::create_directories(sealed / "audio");
    support::put_file(sealed / "SHA256SUMS", "x");
    support::put_file(sealed / facts, "{}");
    fs::create_directory_symlink(sealed, scratch / (std::string("link-") + facts));
    for (const fs::path& target :
         {sealed / "x", sealed / "audio" / "x", sealed / "not" / "there" / "x",
          scratch / (std::string("link-") + facts) / "x", sealed / "audio" / ".." / "x"}) {
      CAPTURE(target.string());
      CHECK_THROWS_WITH_AS(common::require_outside_of_sealed(target), doctest::Contains("which is sealed"),
                           common::Error);
      CHECK_THROWS_AS(common::write_file(target, std::string_view("y")), common::Error);
      CHECK_THROWS_AS(common::Draft(target, common::never_replaceable()), common::Error);
      CHECK_FALSE(fs::exists(target));
    }
    CHECK_FALSE(fs::exists(sealed / "not"));
    CHECK_NOTHROW(common::require_outside_of_sealed(sealed));
    CHECK_NOTHROW(common::require_outside_of_sealed(scratch / "beside"));
  }
}

TEST_CASE("a folder of downloads with their checksums is no sealed folder") {
  const support::Scratch scratch;
  support::put_file(scratch / "SHA256SUMS", "x");
  CHECK_NOTHROW(common::require_outside_of_sealed(scratch / "x"));
  common::write_file(scratch / "x", std::string_view("y"));
  CHECK(common::read_text(scratch / "x", 10) == "y");
}
