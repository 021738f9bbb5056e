#include "packer/tar/compress.hpp"
#include "packer/tar/compression.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "common/random.hpp"
#include "packer/tar/decompress.hpp"

#include <doctest/doctest.h>

namespace {

using packer::Compression;

class ToMemory : public common::Sink {
 public:
  void write(common::ByteView bytes) override { all.insert(all.end(), bytes.begin(), bytes.end()); }
  void finish() override {}
  common::Bytes all;
};

class FromMemory : public packer::Stream {
 public:
  explicit FromMemory(common::Bytes bytes) : bytes_(std::move(bytes)) {}
  std::size_t read(std::uint8_t* to, std::size_t size) override {
    const std::size_t count = std::min(size, bytes_.size() - at_);
    if (count > 0) std::memcpy(to, bytes_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  common::Bytes bytes_;
  std::size_t at_ = 0;
};

common::Bytes sample(std::size_t size) {
  common::Random random(static_cast<std::int64_t>(size));
  common::Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>(i % 3 == 0 ? random.getrandbits(8) : i / 100);
  return bytes;
}

common::Bytes compressed(const common::Bytes& bytes, Compression form, unsigned threads) {
  ToMemory memory;
  const auto sink = packer::compress(form, memory, threads);
  for (std::size_t at = 0; at < bytes.size(); at += 100'000)
    sink->write(common::ByteView(bytes).subspan(at, std::min<std::size_t>(100'000, bytes.size() - at)));
  sink->finish();
  return memory.all;
}

struct Result {
  common::Bytes bytes;
  std::optional<common::Finding> fault;
};

Result expanded(common::Bytes bytes, Compression form) {
  const auto stream = packer::decompress(form, std::make_unique<FromMemory>(std::move(bytes)));
  Result result;
  common::Bytes buffer(70'000);
  while (const std::size_t got = stream->read(buffer.data(), buffer.size()))
    result.bytes.insert(result.bytes.end(), buffer.begin(),
                        buffer.begin() + static_cast<std::ptrdiff_t>(got));
  result.fault = stream->fault();
  return result;
}

constexpr Compression k_forms[] = {Compression::gzip, Compression::zstd};

}  // namespace

TEST_CASE(
    "what is compressed expands to the same bytes, around every block edge and for any number of threads") {
  for (const Compression form : k_forms)
    for (const unsigned threads : {1U, 2U, 3U})
      for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{131071}, std::size_t{131072},
                                     std::size_t{131073}, std::size_t{2097152}, std::size_t{4300001}}) {
        const common::Bytes bytes = sample(size);
        const Result result = expanded(compressed(bytes, form, threads), form);
        CHECK_FALSE(result.fault);
        CHECK((result.bytes == bytes));
      }
}

TEST_CASE("every truncation of a compressed form is a fault") {
  for (const Compression form : k_forms) {
    const common::Bytes whole = compressed(sample(3000), form, 1);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto end = whole.begin() + static_cast<std::ptrdiff_t>(size);
      CHECK(expanded(common::Bytes(whole.begin(), end), form).fault);
    }
  }
}

TEST_CASE("no flipped byte of a compressed form gives other bytes without a fault") {
  for (const Compression form : k_forms) {
    const common::Bytes plain = sample(3000);
    const common::Bytes whole = compressed(plain, form, 1);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      common::Bytes bad = whole;
      bad[at] ^= 0x10;
      const Result result = expanded(bad, form);
      CHECK((result.fault || result.bytes == plain));
    }
  }
}

TEST_CASE("anything behind the one member or frame is a fault Z3") {
  for (const Compression form : k_forms) {
    const common::Bytes whole = compressed(sample(3000), form, 1);
    const common::Bytes empty = compressed({}, form, 1);
    const common::Bytes skippable{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0};
    for (const common::Bytes& tail : {common::Bytes{0}, common::Bytes(512, 0), empty, whole, skippable}) {
      common::Bytes longer = whole;
      longer.insert(longer.end(), tail.begin(), tail.end());
      const Result result = expanded(longer, form);
      REQUIRE(result.fault);
      CHECK(result.fault->rule == "Z3");
    }
  }
}

TEST_CASE("a gzip member with a wrong CRC or length, and a zstd frame without a checksum, are faults") {
  common::Bytes gzip = compressed(sample(100), Compression::gzip, 1);
  for (const std::size_t back : {1U, 5U}) {
    common::Bytes bad = gzip;
    bad[bad.size() - back] ^= 1;
    REQUIRE(expanded(bad, Compression::gzip).fault);
    CHECK(expanded(bad, Compression::gzip).fault->rule == "Z1");
  }
  common::Bytes zstd = compressed(sample(100), Compression::zstd, 1);
  zstd[4] = static_cast<std::uint8_t>(zstd[4] & ~0x04);
  zstd.resize(zstd.size() - 4);
  REQUIRE(expanded(zstd, Compression::zstd).fault);
  CHECK(expanded(zstd, Compression::zstd).fault->rule == "Z2");
}

TEST_CASE("the first bytes tell a stream's form") {
  const common::Bytes plain = sample(1000);
  for (const Compression form : {Compression::none, Compression::gzip, Compression::zstd}) {
    const auto stream = packer::decompress_by_magic(std::make_unique<FromMemory>(compressed(plain, form, 1)));
    common::Bytes out(2000);
    out.resize(packer::read_full(*stream, out.data(), out.size()));
    CHECK((out == plain));
  }
}

TEST_CASE("reading ahead on another thread changes nothing, and may stop early") {
  const common::Bytes plain = sample(5'000'000);
  packer::ReadAhead all(std::make_unique<FromMemory>(plain));
  common::Bytes out(plain.size() + 1);
  out.resize(packer::read_full(all, out.data(), out.size()));
  CHECK((out == plain));
  packer::ReadAhead some(std::make_unique<FromMemory>(plain));
  CHECK(packer::read_full(some, out.data(), 10) == 10);
}

TEST_CASE("a zstd frame that holds more than gzip could is a fault Z4, and the reading ends there") {
  ToMemory memory;
  const auto sink = packer::compress(Compression::zstd, memory, 1);
  const common::Bytes zeros(std::size_t{1} << 20);
  constexpr std::uint64_t k_megabytes = 400;
  for (std::uint64_t i = 0; i < k_megabytes; ++i) sink->write(zeros);
  sink->finish();
  REQUIRE((k_megabytes << 20) > packer::decompressed_limit(memory.all.size()));
  const auto stream = packer::decompress(Compression::zstd, std::make_unique<FromMemory>(memory.all));
  common::Bytes buffer(std::size_t{1} << 20);
  std::uint64_t total = 0;
  while (const std::size_t got = stream->read(buffer.data(), buffer.size())) total += got;
  CHECK(total <= packer::decompressed_limit(memory.all.size()));
  REQUIRE(stream->fault());
  CHECK(stream->fault()->rule == "Z4");
}
