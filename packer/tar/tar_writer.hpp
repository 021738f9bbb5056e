// Writes the canonical ustar of FORMAT.md, member by member.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "common/sink.hpp"
#include "packer/tar/ustar.hpp"

namespace packer {

// Tar bytes in front of a sink, usually a compressor; counts them for the trailer.
class TarWriter {
 public:
  // `folder` is "" or ends with a slash.
  TarWriter(common::Sink& sink, std::string folder) : sink_(sink), folder_(std::move(folder)) {}

  void begin(const std::string& path, std::uint64_t size) { put(ustar_header(folder_ + path, size)); }
  void put(common::ByteView bytes) {
    sink_.write(bytes);
    written_ += bytes.size();
  }
  void pad(std::uint64_t count) {
    static constexpr std::array<std::uint8_t, k_record_bytes> k_zeros{};
    while (count > 0) {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, k_zeros.size()));
      put({k_zeros.data(), part});
      count -= part;
    }
  }
  void whole(const std::string& path, common::ByteView bytes) {
    begin(path, bytes.size());
    put(bytes);
    pad(padding_after(bytes.size()));
  }
  void end() {
    pad(trailer_after(written_));
    sink_.finish();
  }

 private:
  common::Sink& sink_;
  std::string folder_;
  std::uint64_t written_ = 0;
};

}  // namespace packer
