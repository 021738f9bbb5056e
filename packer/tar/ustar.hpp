// The one tar header that a name and a size can have, and the layout of a whole archive. Byte for byte what
// GNU tar 1.34 writes with --format=ustar --mtime=@0 --owner=:0 --group=:0 --numeric-owner --mode=0644 -b20.
// A reader rebuilds the header it expects and compares; nothing is parsed that could be said in two ways.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.hpp"
#include "common/path.hpp"

namespace packer {

inline constexpr std::size_t k_block_bytes = 512;
inline constexpr std::size_t k_record_bytes = 20 * k_block_bytes;

using UstarHeader = std::array<std::uint8_t, k_block_bytes>;

// `name` has 1 to 100 bytes, `size` at most 8 GiB - 1.
[[nodiscard]] UstarHeader ustar_header(std::string_view name, std::uint64_t size);

struct UstarMember {
  std::string name;
  std::uint64_t size = 0;
};
// What a canonical header says; nothing where ustar_header would not give these very bytes.
enum class HeaderFault { none, zeros, not_ustar, not_canonical };
struct HeaderReading {
  HeaderFault fault = HeaderFault::none;
  UstarMember member;
};
[[nodiscard]] HeaderReading read_ustar_header(const UstarHeader& header);

// Zeros between the end of a member's bytes and the next header.
[[nodiscard]] constexpr std::uint64_t padding_after(std::uint64_t size) {
  return (k_block_bytes - size % k_block_bytes) % k_block_bytes;
}
// Header, bytes, padding.
[[nodiscard]] constexpr std::uint64_t member_bytes(std::uint64_t size) {
  return k_block_bytes + size + padding_after(size);
}
// Zeros behind the last member that ends at `end`: two blocks, then up to a whole record.
[[nodiscard]] constexpr std::uint64_t trailer_after(std::uint64_t end) {
  const std::uint64_t with_mark = end + 2 * k_block_bytes;
  return 2 * k_block_bytes + (k_record_bytes - with_mark % k_record_bytes) % k_record_bytes;
}

}  // namespace packer
