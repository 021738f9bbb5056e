// Bytes in memory as a stream, in pieces of a chosen size.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "packer/tar/stream.hpp"

namespace support {

class MemoryStream : public packer::Stream {
 public:
  explicit MemoryStream(std::string_view bytes, std::size_t piece = SIZE_MAX)
      : bytes_(bytes), piece_(piece) {}
  std::size_t read(std::uint8_t* to, std::size_t size) override {
    const std::size_t count = std::min({size, piece_, bytes_.size()});
    if (count > 0) std::memcpy(to, bytes_.data(), count);
    bytes_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view bytes_;
  std::size_t piece_;
};

}  // namespace support
