#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "common/error.hpp"
#include "packer/archive.hpp"
#include "packer/examine.hpp"
#include "packer/extract.hpp"
#include "packer/ustar.hpp"
#include "packer/verify.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

class FromMemory : public packer::Stream {
 public:
  explicit FromMemory(const std::string& bytes) : bytes_(bytes) {}
  std::size_t read(std::uint8_t* to, std::size_t size) override {
    const std::size_t count = std::min(size, bytes_.size() - at_);
    if (count > 0) std::memcpy(to, bytes_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  const std::string& bytes_;
  std::size_t at_ = 0;
};

packer::ExamineRequest quiet() {
  packer::ExamineRequest request;
  request.threads = 1;
  request.verbosity = common::Verbosity::quiet;
  return request;
}

packer::Findings as_stream(const std::string& tar) {
  FromMemory stream(tar);
  return packer::examine_stream(stream, quiet(), nullptr).findings;
}

packer::Findings in_place(const std::string& tar, const fs::path& file) {
  support::put(file, tar);
  return packer::examine_tar(common::open_to_read(file), file, quiet()).findings;
}

// The archive as a list of members, to be put together in another way.
struct Members {
  std::vector<std::string> parts;  // header, bytes, padding
  std::string trailer;
};

Members split(const std::string& tar) {
  Members members;
  std::size_t at = 0;
  for (;;) {
    packer::UstarHeader header{};
    std::memcpy(header.data(), tar.data() + at, header.size());
    const auto reading = packer::read_ustar_header(header);
    if (reading.fault != packer::HeaderFault::none) break;
    const auto size = static_cast<std::size_t>(packer::member_bytes(reading.member.size));
    members.parts.push_back(tar.substr(at, size));
    at += size;
  }
  members.trailer = tar.substr(at);
  return members;
}

std::string join(const std::vector<std::string>& parts) {
  std::string tar;
  for (const std::string& part : parts) tar += part;
  return tar + std::string(static_cast<std::size_t>(packer::trailer_after(tar.size())), '\0');
}

std::string member(const std::string& name, const std::string& bytes) {
  const packer::UstarHeader header = packer::ustar_header(name, bytes.size());
  return std::string(header.begin(), header.end()) + bytes +
         std::string(static_cast<std::size_t>(packer::padding_after(bytes.size())), '\0');
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

TEST_CASE("after any one changed byte of a .tar it is not clean, in place and as a stream") {
  const Sample sample;
  const fs::path file = sample.scratch / "bad.tar";
  REQUIRE(in_place(sample.tar, file).empty());
  REQUIRE(as_stream(sample.tar).empty());
  std::size_t cases = 0, clean = 0;
  common::File writable(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  const common::File readable = common::open_to_read(file);
  std::string bad = sample.tar;
  for (std::size_t at = 0; at < bad.size(); ++at) {
    const char good = bad[at];
    bad[at] = static_cast<char>(good ^ (1 << (at % 8)));
    REQUIRE(::pwrite(writable.descriptor(), &bad[at], 1, static_cast<off_t>(at)) == 1);
    clean += packer::examine_tar(readable, file, quiet()).findings.empty() ? 1 : 0;
    REQUIRE(::pwrite(writable.descriptor(), &good, 1, static_cast<off_t>(at)) == 1);
    ++cases;
    if (at % 7 == 0) {
      clean += as_stream(bad).empty() ? 1 : 0;
      ++cases;
    }
    bad[at] = good;
  }
  std::printf(".tar: %zu flipped bytes, %zu clean\n", cases, clean);
  CHECK(clean == 0);
}

TEST_CASE("every truncation of a .tar at a block's edge, and around it, is not clean") {
  const Sample sample;
  std::size_t cases = 0, clean = 0;
  for (std::size_t edge = 0; edge <= sample.tar.size(); edge += 512)
    for (const std::size_t size : {edge, edge + 1, edge + 511}) {
      if (size >= sample.tar.size()) continue;
      const std::string cut = sample.tar.substr(0, size);
      clean += as_stream(cut).empty() ? 1 : 0;
      clean += in_place(cut, sample.scratch / "bad.tar").empty() ? 1 : 0;
      cases += 2;
    }
  std::printf(".tar: %zu truncations, %zu clean\n", cases, clean);
  CHECK(clean == 0);
}

TEST_CASE("anything behind the end of a .tar is not clean") {
  const Sample sample;
  for (const std::string& tail : {std::string(1, '\0'), std::string(512, '\0'), std::string(10240, '\0'),
                                  std::string("x"), sample.tar}) {
    CHECK_FALSE(as_stream(sample.tar + tail).empty());
    CHECK_FALSE(in_place(sample.tar + tail, sample.scratch / "bad.tar").empty());
  }
}

TEST_CASE("members removed, repeated, swapped, renamed or added are not clean, in place and as a stream") {
  const Sample sample;
  const Members members = split(sample.tar);
  REQUIRE(join(members.parts) == sample.tar);
  std::size_t cases = 0, clean = 0;
  const auto judge = [&](const std::vector<std::string>& parts) {
    const std::string tar = join(parts);
    clean += as_stream(tar).empty() ? 1 : 0;
    clean += in_place(tar, sample.scratch / "bad.tar").empty() ? 1 : 0;
    cases += 2;
  };
  for (std::size_t i = 0; i < members.parts.size(); ++i) {
    std::vector<std::string> parts = members.parts;
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
    judge(parts);
    for (std::size_t j = 0; j <= members.parts.size(); ++j) {
      parts = members.parts;
      parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(j), members.parts[i]);
      judge(parts);
      parts = members.parts;
      parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(j), member("data_pack/notes.txt", "hello"));
      judge(parts);
    }
    for (std::size_t j = 0; j < i; ++j) {
      parts = members.parts;
      std::swap(parts[i], parts[j]);
      judge(parts);
    }
    for (const char* name : {"data_pack/other", "other/SHA256SUMS", "data_pack", "../x", "/x",
                             "data_pack/../x", "data_pack//x", "data_pack/"}) {
      parts = members.parts;
      parts[i] = member(name, "bytes");
      judge(parts);
    }
  }
  std::printf(".tar: %zu changed member lists, %zu clean\n", cases, clean);
  CHECK(clean == 0);
}

TEST_CASE(
    "headers of links, folders, devices, pax and GNU records are not clean, whatever their checksum says") {
  const Sample sample;
  const Members members = split(sample.tar);
  for (std::size_t i = 0; i < members.parts.size(); ++i)
    for (const char type : std::string("1234567xgLKSVN") + '\0') {
      std::vector<std::string> parts = members.parts;
      std::string& header = parts[i];
      header[156] = type;
      std::memset(header.data() + 148, ' ', 8);
      unsigned sum = 0;
      for (int b = 0; b < 512; ++b) sum += static_cast<unsigned char>(header[static_cast<std::size_t>(b)]);
      std::snprintf(header.data() + 148, 8, "%06o", sum);
      header[155] = ' ';
      CHECK_FALSE(as_stream(join(parts)).empty());
    }
}

TEST_CASE("a damaged file in an archive does not hide the other damaged ones") {
  const Sample sample;
  const Members members = split(sample.tar);
  std::vector<std::string> parts = members.parts;
  REQUIRE(parts.size() > 6);
  const std::size_t last = parts.size() - 1;
  parts[last][600] = static_cast<char>(parts[last][600] ^ 1);
  parts[last - 1][3] = 'X';  // its header
  parts[last - 2].replace(512, 1, "X");
  for (const packer::Findings& findings :
       {as_stream(join(parts)), in_place(join(parts), sample.scratch / "bad.tar")}) {
    std::string rules;
    for (const packer::Finding& finding : findings) rules += finding.rule + " ";
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

TEST_CASE("flips of a compressed archive are findings, or leave the tar bytes as they were") {
  const Sample sample;
  for (const char* suffix : {".tgz", ".tar.zst"}) {
    const fs::path file = sample.scratch / (std::string("x") + suffix);
    (void)packer::archive({sample.pack, file, 1, common::Verbosity::quiet});
    const std::string good = support::get(file);
    const common::Digest id = *packer::verify(file, quiet()).id;
    std::size_t cases = 0, same = 0, wrong = 0;
    for (std::size_t at = 0; at < good.size(); at += 3) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
      support::put(file, bad);
      const packer::Report report = packer::verify(file, quiet());
      ++cases;
      if (!report.findings.empty()) continue;
      // Clean is only right where the pack inside is the pack.
      ++same;
      wrong += report.id == id ? 0 : 1;
    }
    std::printf("%s: %zu flipped bytes, %zu left the tar bytes as they were\n", suffix, cases, same);
    CHECK(wrong == 0);
  }
}
