#include "packer/check/verify.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "packer/archive/archive.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

struct BuiltPack {
  support::Scratch scratch;
  packer::BuildSummary built;

  BuiltPack() {
    packer::BuildRequest request = support::small_sources(scratch.path());
    request.verbosity = common::Verbosity::quiet;
    built = packer::build_pack(request);
  }
};

using support::holds;

}  // namespace

TEST_CASE("a whole pack with another id than the expected one needs no repair") {
  const BuiltPack setting;
  packer::ExamineRequest request = support::quiet_examination();
  request.expected_id = common::digest_of(std::string_view("another"));
  const common::Findings findings = packer::verify(setting.built.location, request).findings;
  REQUIRE(findings.size() == 1);
  const std::string remedy = packer::remedy_for(setting.built.location, findings);
  CHECK(holds(remedy, "another pack"));
  CHECK_FALSE(holds(remedy, "epair"));
}

TEST_CASE("of a folder that is not a pack only that is said, whatever it holds") {
  const BuiltPack setting;
  const fs::path other = setting.scratch / "other";
  support::put(other / "thesis" / "chapter 1.txt", std::string("mine"));
  fs::create_directories(other / "empty");
  const common::Findings findings = packer::verify(other, support::quiet_examination()).findings;
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].rule == "S1");
  const std::string remedy = packer::remedy_for(other, findings);
  CHECK(holds(remedy, "Name a pack"));
  CHECK_FALSE(holds(remedy, "epair"));
}

TEST_CASE("a pack without its seal is still looked through, and can be repaired") {
  const BuiltPack setting;
  fs::remove(setting.built.location / "SHA256SUMS");
  support::put(setting.built.location / "stray", std::string("x"));
  const common::Findings findings =
      packer::verify(setting.built.location, support::quiet_examination()).findings;
  REQUIRE_FALSE(findings.empty());
  CHECK(holds(packer::remedy_for(setting.built.location, findings), "Repair it"));
}

TEST_CASE(
    "wherever an archive is truncated, all that is missing behind that place is one line behind the cause") {
  const BuiltPack setting;
  for (const char* suffix : {".tar", ".tgz", ".tar.zst"}) {
    CAPTURE(std::string(suffix));
    const fs::path archive = setting.scratch / ("x" + std::string(suffix));
    (void)packer::archive({setting.built.location, archive, 1, common::Verbosity::quiet});
    const std::uint64_t whole = fs::file_size(archive);
    std::ptrdiff_t most_missing = 0;
    for (int twentieth = 19; twentieth > 0; --twentieth) {
      fs::resize_file(archive, whole * static_cast<std::uint64_t>(twentieth) / 20);
      const common::Findings findings = packer::verify(archive, support::quiet_examination()).findings;
      const auto missing = std::count_if(findings.begin(), findings.end(),
                                         [](const common::Finding& finding) { return finding.rule == "F1"; });
      const std::vector<std::string> lines = common::describe_all(findings);
      REQUIRE_FALSE(lines.empty());
      CHECK(lines.size() == findings.size() - static_cast<std::size_t>(missing) + (missing > 0 ? 1 : 0));
      CHECK(lines.front().substr(0, 2) != "F1");
      if (missing > 1) CHECK(holds(lines.back(), std::to_string(missing) + " files after that are missing"));
      most_missing = std::max(most_missing, missing);
    }
    // A compressed pack as small as this one comes in one block, of which all is lost.
    if (std::string(suffix) == ".tar") CHECK(most_missing > 1);
  }
}

TEST_CASE("in a folder every missing file is a line") {
  const BuiltPack setting;
  fs::remove_all(setting.built.location / "images");
  const common::Findings findings =
      packer::verify(setting.built.location, support::quiet_examination()).findings;
  CHECK(findings.size() > 1);
  CHECK(common::describe_all(findings).size() == findings.size());
}
