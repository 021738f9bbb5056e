#include <sys/stat.h>

#include <cstdio>

#include "packer/check/examine.hpp"
#include "packer/check/examine_folder.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

common::Findings findings_of(const fs::path& pack) {
  packer::ExamineRequest request;
  request.threads = 1;
  request.verbosity = common::Verbosity::quiet;
  return packer::examine_folder(pack, request).findings;
}

bool names(const common::Findings& findings, const std::string& path) {
  for (const common::Finding& finding : findings)
    if (finding.path == path) return true;
  return false;
}

}  // namespace

TEST_CASE(
    "after any file of a folder is removed, cut, lengthened, emptied or swapped the pack is not clean") {
  const support::Scratch scratch;
  const fs::path pack = packer::build_pack(support::small_sources(scratch.path())).location;
  const support::Tree tree = support::tree_of(pack);
  std::size_t cases = 0, clean = 0;
  const auto judge = [&] {
    ++cases;
    clean += findings_of(pack).empty() ? 1 : 0;
  };
  for (const auto& [path, bytes] : tree) {
    fs::remove(pack / path);
    judge();
    for (std::size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 40) {
      support::put(pack / path, bytes.substr(0, size));
      judge();
    }
    support::put(pack / path, bytes + '\0');
    judge();
    support::put(pack / path, bytes + bytes);
    judge();
    for (const auto& [other, other_bytes] : tree) {
      if (bytes == other_bytes) continue;
      support::put(pack / path, other_bytes);
      judge();
    }
    support::put(pack / path, bytes);
    // The same bytes under another name.
    fs::rename(pack / path, pack / (path + "x"));
    judge();
    fs::rename(pack / (path + "x"), pack / path);
  }
  std::printf("folder: %zu changed files, %zu clean\n", cases, clean);
  CHECK(clean == 0);
  CHECK(findings_of(pack).empty());
}

TEST_CASE("nothing but the files of the seal may lie in a folder") {
  const support::Scratch scratch;
  const fs::path pack = packer::build_pack(support::small_sources(scratch.path())).location;
  const auto rule_of = [&](const fs::path& stray) {
    const common::Findings findings = findings_of(pack);
    const std::string rule = findings.size() == 1 ? findings[0].rule : "";
    fs::remove_all(pack / stray);
    return rule;
  };
  support::put(pack / "notes.txt", std::string("hello"));
  CHECK(rule_of("notes.txt") == "F3");
  support::put(pack / "images" / ".hidden", std::string(""));
  CHECK(rule_of("images/.hidden") == "F3");
  support::put(pack / "images" / "bell\a.jpg", std::string("x"));
  CHECK(rule_of("images/bell\a.jpg") == "F3");
  fs::create_directories(pack / "empty" / "folder");
  CHECK(rule_of("empty") == "F5");
  fs::create_symlink("README.txt", pack / "link");
  CHECK(rule_of("link") == "F4");
  fs::create_directory_symlink("/", pack / "images" / "root");
  CHECK(rule_of("images/root") == "F4");
  REQUIRE(::mkfifo((pack / "audio" / "fifo").c_str(), 0644) == 0);
  CHECK(rule_of("audio/fifo") == "F4");
  CHECK(findings_of(pack).empty());
}

TEST_CASE("a link or a FIFO in the place of a file is not read, and is a finding") {
  const support::Scratch scratch;
  const fs::path pack = packer::build_pack(support::small_sources(scratch.path())).location;
  for (const auto& [path, bytes] : support::tree_of(pack)) {
    fs::rename(pack / path, scratch / "aside");
    fs::create_symlink(scratch / "aside", pack / path);  // the right bytes, by a way that is not theirs
    CHECK(names(findings_of(pack), path));
    fs::remove(pack / path);
    REQUIRE(::mkfifo((pack / path).c_str(), 0644) == 0);
    CHECK(names(findings_of(pack), path));
    fs::remove(pack / path);
    fs::rename(scratch / "aside", pack / path);
  }
  fs::rename(pack / "audio", scratch / "audio_aside");
  fs::create_directory_symlink(scratch / "audio_aside", pack / "audio");
  CHECK(names(findings_of(pack), "audio"));
}
