// Many files at once, by whatever this processor has: each is read to its end and judged by its own digest.
#include "packer/check/hash_files.hpp"

#include <array>
#include <atomic>
#include <random>

#include <doctest/doctest.h>

using namespace packer;
using common::Bytes;
using common::ByteView;

namespace {

class MemoryReading final : public FileReading {
 public:
  MemoryReading(const PackFile& expected, const Examination& examination, const Bytes& bytes,
                common::Findings& findings, std::atomic<int>& ended)
      : FileReading(expected, examination), rest_(bytes), findings_(findings), ended_(ended) {}
  ByteView read(common::ReadBuffer& buffer) override {
    const std::size_t size = std::min<std::size_t>({rest_.size(), buffer.size(), 5000});
    const ByteView piece = rest_.first(size);
    rest_ = rest_.subspan(size);
    return piece;
  }
  void conclude() override {
    check().conclude(findings_);
    ++ended_;
  }

 private:
  ByteView rest_;
  common::Findings& findings_;
  std::atomic<int>& ended_;
};

}  // namespace

TEST_CASE("of many files hashed at once each is judged by its own digest, however many are under way") {
  std::mt19937 random(5);
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{90}}) {
    std::vector<Bytes> contents(count);
    std::vector<PackFile> files(count);
    for (std::size_t i = 0; i < count; ++i) {
      contents[i].resize(random() % (i % 5 == 0 ? 60000 : 300));
      for (std::uint8_t& byte : contents[i]) byte = static_cast<std::uint8_t>(random());
      files[i].path = common::PackPath("images/" + std::to_string(i) + ".jpg");
      files[i].bytes = contents[i].size();
      files[i].digest = common::digest_of(contents[i]);
    }
    const Examination examination;
    std::vector<common::LaneChoice> choices(1);
    for (const common::LaneKernel& kernel : common::lane_kernels()) choices.push_back({&kernel, 2});
    for (const common::LaneChoice& choice : choices)
      for (const std::size_t damaged : {count, count / 2}) {
        CAPTURE(count);
        CAPTURE(choice.lanes());
        CAPTURE(damaged);
        std::vector<Bytes> found = contents;
        if (damaged < count) {
          if (found[damaged].empty()) found[damaged].push_back(0);
          found[damaged].back() ^= 1;
        }
        std::vector<common::Findings> findings(count);
        std::atomic<int> ended = 0;
        hash_files(
            count, 2,
            [&](std::size_t i) {
              return std::make_unique<MemoryReading>(files[i], examination, found[i], findings[i], ended);
            },
            choice);
        CHECK(ended == static_cast<int>(count));
        for (std::size_t i = 0; i < count; ++i) CHECK(findings[i].empty() == (i != damaged));
      }
  }
}
