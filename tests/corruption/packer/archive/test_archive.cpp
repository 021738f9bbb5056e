#include <cstdio>
#include <memory>

#include "common/error.hpp"
#include "packer/archive/archive.hpp"
#include "packer/archive/extract.hpp"
#include "packer/check/examine.hpp"
#include "packer/check/examine_archive.hpp"
#include "packer/check/verify.hpp"
#include "packer/tar/compress.hpp"
#include "packer/tar/compression.hpp"
#include "packer/tar/decompress.hpp"
#include "tests/support/memory_stream.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"
#include "tests/support/tar_parts.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

common::Findings as_stream(const std::string& tar) {
  support::MemoryStream stream(tar);
  return packer::examine_stream(stream, support::quiet_examination(), nullptr).findings;
}

common::Findings in_place(const std::string& tar, const fs::path& file) {
  support::put(file, tar);
  return packer::examine_tar(common::open_to_read(file), file, support::quiet_examination()).findings;
}

// The same archive in a compressed form.
common::Findings compressed(const std::string& tar, packer::Compression form) {
  class ToMemory : public common::Sink {
   public:
    explicit ToMemory(std::string& to) : to_(to) {}
    void write(common::ByteView bytes) override { to_ += common::text_of(bytes); }
    void finish() override {}

   private:
    std::string& to_;
  };
  std::string bytes;
  ToMemory sink(bytes);
  const auto compressor = packer::compress(form, sink, 1);
  compressor->write(common::view_of(tar));
  compressor->finish();
  const auto stream = packer::decompress(form, std::make_unique<support::MemoryStream>(bytes));
  return packer::examine_stream(*stream, support::quiet_examination(), nullptr).findings;
}

struct Sample {
  support::Scratch scratch;
  fs::path pack;
  std::string tar;
  Sample() {
    pack = packer::build_pack(support::small_sources(scratch.path())).location;
    (void)packer::archive({pack, scratch / "x.tar", 1, common::Verbosity::quiet});
    tar = support::get(scratch / "x.tar");
  }
};

}  // namespace

TEST_CASE("anything behind the end of a .tar is not clean") {
  const Sample sample;
  for (const std::string& tail : {std::string(1, '\0'), std::string(512, '\0'), std::string(10240, '\0'),
                                  std::string("x"), sample.tar}) {
    CHECK_FALSE(as_stream(sample.tar + tail).empty());
    CHECK_FALSE(in_place(sample.tar + tail, sample.scratch / "bad.tar").empty());
  }
}

TEST_CASE("members removed, repeated, swapped, renamed or added are not clean, in every form") {
  const Sample sample;
  const std::vector<std::string> members = support::tar_parts(sample.tar);
  REQUIRE(support::tar_of(members) == sample.tar);
  std::size_t cases = 0, clean = 0;
  const auto judge = [&](const std::vector<std::string>& parts) {
    const std::string tar = support::tar_of(parts);
    clean += as_stream(tar).empty() ? 1 : 0;
    clean += in_place(tar, sample.scratch / "bad.tar").empty() ? 1 : 0;
    clean += compressed(tar, packer::Compression::gzip).empty() ? 1 : 0;
    clean += compressed(tar, packer::Compression::zstd).empty() ? 1 : 0;
    cases += 4;
  };
  for (std::size_t i = 0; i < members.size(); ++i) {
    std::vector<std::string> parts = members;
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
    judge(parts);
    for (std::size_t j = 0; j <= members.size(); ++j) {
      parts = members;
      parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(j), members[i]);
      judge(parts);
      parts = members;
      parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(j),
                   support::tar_member("data_pack/notes.txt", "hello"));
      judge(parts);
    }
    for (std::size_t j = 0; j < i; ++j) {
      parts = members;
      std::swap(parts[i], parts[j]);
      judge(parts);
    }
    for (const char* name : {"data_pack/other", "other/SHA256SUMS", "data_pack", "../x", "/x",
                             "data_pack/../x", "data_pack//x", "data_pack/"}) {
      parts = members;
      parts[i] = support::tar_member(name, "bytes");
      judge(parts);
    }
  }
  std::printf("archives: %zu changed member lists, %zu clean\n", cases, clean);
  CHECK(clean == 0);
}

TEST_CASE(
    "headers of links, folders, devices, pax and GNU records are not clean, whatever their checksum says") {
  const Sample sample;
  const std::vector<std::string> members = support::tar_parts(sample.tar);
  for (std::size_t i = 0; i < members.size(); ++i)
    for (const char type : std::string("1234567xgLKSVN") + '\0') {
      std::vector<std::string> parts = members;
      parts[i][156] = type;
      support::set_checksum(parts[i]);
      CHECK_FALSE(as_stream(support::tar_of(parts)).empty());
    }
}

TEST_CASE("a damaged file in an archive does not hide the other damaged ones") {
  const Sample sample;
  std::vector<std::string> parts = support::tar_parts(sample.tar);
  REQUIRE(parts.size() > 6);
  const std::size_t last = parts.size() - 1;
  parts[last][600] = static_cast<char>(parts[last][600] ^ 1);
  parts[last - 1][3] = 'X';  // its header
  parts[last - 2].replace(512, 1, "X");
  for (const common::Findings& findings :
       {as_stream(support::tar_of(parts)), in_place(support::tar_of(parts), sample.scratch / "bad.tar")}) {
    std::string rules;
    for (const common::Finding& finding : findings) rules += finding.rule + " ";
    CHECK(findings.size() == 3);
    CHECK(rules.find("A1") != std::string::npos);
  }
}

TEST_CASE("a damaged archive leaves nothing where it would have been extracted") {
  const Sample sample;
  const fs::path file = sample.scratch / "bad.tar";
  const fs::path dest = sample.scratch / "new" / "out";
  std::size_t cases = 0;
  for (std::size_t at = 0; at < sample.tar.size(); at += 97) {
    std::string bad = sample.tar;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    support::put(file, bad);
    int code = 0;
    try {
      (void)packer::extract({file, dest, {}, 1, common::Verbosity::quiet});
    } catch (const common::Error& error) {
      code = common::exit_code(error.kind());
    }
    CHECK(code == 1);
    CHECK_FALSE(fs::exists(sample.scratch / "new"));
    ++cases;
  }
  std::printf("extract: %zu damaged archives\n", cases);
}
