#include <unistd.h>

#include <cstdio>

#include "packer/archive/archive.hpp"
#include "packer/check/verify.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"
#include "tests/support/system_calls.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;

TEST_CASE("the order in which folders give their entries changes neither pack, archive nor findings") {
  const support::Scratch scratch;
  packer::BuildRequest request = support::small_sources(scratch.path());
  packer::ExamineRequest quiet;
  quiet.verbosity = common::Verbosity::quiet;
  std::string tar;
  common::Findings findings;
  for (unsigned seed = 1; seed <= 8; ++seed) {
    support::shuffle_folders(seed);
    const fs::path pack = packer::build_pack(request).location;
    (void)packer::archive({pack, scratch / "x.tar", 2, common::Verbosity::quiet});
    const std::string bytes = support::get(scratch / "x.tar");
    for (const char* stray : {"a", "images/b", "images/c", "audio/d"})
      support::put(pack / stray, std::string("stray"));
    fs::remove(pack / "README.txt");
    const common::Findings found = packer::verify(pack, quiet).findings;
    fs::remove_all(pack);
    CHECK(found.size() == 5);
    if (seed == 1) {
      tar = bytes;
      findings = found;
    }
    CHECK(bytes == tar);
    CHECK(found == findings);
  }
}
