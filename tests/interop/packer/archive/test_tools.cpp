// What we write, GNU tar, coreutils, gzip and zstd read; what GNU tar writes by the command in FORMAT.md, we
// read.
#include <cstdlib>

#include "packer/archive/archive.hpp"
#include "packer/check/verify.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

int shell(const fs::path& folder, const std::string& command) {
  const std::string whole = "cd '" + folder.string() + "' && (" + command + ") >tool.out 2>tool.err";
  return std::system(whole.c_str());
}

struct Sample {
  support::Scratch scratch;
  fs::path pack;
  Sample() { pack = packer::build_pack(support::small_sources(scratch.path())).location; }
  void archive(const char* name) const {
    (void)packer::archive({pack, scratch / name, 2, common::Verbosity::quiet});
  }
};

// The two commands of FORMAT.md, "Without this project".
constexpr const char* k_make_tar =
    "name=data_pack; "
    "( cd $name; echo SHA256SUMS; test ! -e SHA256SUMS.sig || echo SHA256SUMS.sig; echo pack.json; "
    "cut -c67- SHA256SUMS | grep -v / | grep -vx pack.json; cut -c67- SHA256SUMS | grep / ) | sed "
    "\"s|^|$name/|\" | "
    "tar --format=ustar --mtime=@0 --owner=:0 --group=:0 --numeric-owner --mode=0644 --no-recursion -b20 "
    "-cf gnu.tar -T -";
constexpr const char* k_find_strays =
    "cd data_pack; find . ! -type d ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig -printf '%P\\n' | LC_ALL=C "
    "sort | "
    "diff - <(cut -c67- SHA256SUMS)";

}  // namespace

TEST_CASE("sha256sum checks a pack, and the id is the digest of its list") {
  const Sample sample;
  CHECK(shell(sample.scratch.path(), "cd data_pack; sha256sum -c --strict SHA256SUMS") == 0);
  CHECK(shell(sample.scratch.path(), "bash -c \"" + std::string(k_find_strays) + "\"") == 0);
  REQUIRE(shell(sample.scratch.path(), "sha256sum data_pack/SHA256SUMS") == 0);
  packer::ExamineRequest request;
  request.verbosity = common::Verbosity::quiet;
  CHECK(support::get(sample.scratch / "tool.out").substr(0, 64) ==
        packer::verify(sample.pack, request).id->hex());
}

TEST_CASE("GNU tar makes the same archive, with and without a signature") {
  const Sample sample;
  for (const bool is_signed : {false, true}) {
    if (is_signed) support::put(sample.pack / "SHA256SUMS.sig", std::string(64, 's'));
    sample.archive("ours.tar");
    REQUIRE(shell(sample.scratch.path(), k_make_tar) == 0);
    CHECK(support::get(sample.scratch / "ours.tar") == support::get(sample.scratch / "gnu.tar"));
  }
}

TEST_CASE("GNU tar extracts every form to the same folder") {
  const Sample sample;
  for (const char* name : {"x.tar", "x.tgz", "x.tar.zst"}) {
    sample.archive(name);
    REQUIRE(shell(sample.scratch.path(),
                  std::string("rm -rf out && mkdir out && tar -xf ") + name + " -C out") == 0);
    CHECK(support::tree_of(sample.scratch / "out" / "data_pack") == support::tree_of(sample.pack));
  }
  CHECK(shell(sample.scratch.path(), "gzip -t x.tgz && zstd -qt x.tar.zst") == 0);
}

TEST_CASE("the compressors' own programs make archives that verify") {
  const Sample sample;
  sample.archive("x.tar");
  REQUIRE(shell(sample.scratch.path(), "gzip -9 <x.tar >a.tgz && zstd -q -19 --check x.tar -o b.tar.zst") ==
          0);
  packer::ExamineRequest request;
  request.verbosity = common::Verbosity::quiet;
  for (const char* name : {"a.tgz", "b.tar.zst"})
    CHECK(packer::verify(sample.scratch / name, request).findings.empty());
}

TEST_CASE("an archive of plain tar is refused with both ways out, and what it extracts to verifies") {
  const Sample sample;
  REQUIRE(shell(sample.scratch.path(),
                "tar czf plain.tgz data_pack && mkdir out && tar xzf plain.tgz -C out") == 0);
  packer::ExamineRequest request;
  request.verbosity = common::Verbosity::quiet;
  const packer::Report report = packer::verify(sample.scratch / "plain.tgz", request);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].what.find("safe-packer archive") != std::string::npos);
  CHECK(packer::verify(sample.scratch / "out" / "data_pack", request).findings.empty());
}
