// Reading the compressed forms of an archive.
#pragma once

#include <cstdint>
#include <memory>

#include "packer/tar/compression.hpp"
#include "packer/tar/stream.hpp"

namespace packer {

// any: several in a row, zstd frames without a checksum and skippable ones, and zeros behind the last, as
// other people's archives have them.
enum class Members { one, any };

// Z4: how many bytes so many compressed ones may hold, where there is one member. zstd can hold 30,000 times
// its own size, and a stranger's megabyte would be hashed for half a minute; gzip holds at most 1,032 times
// its size by its nature.
[[nodiscard]] constexpr std::uint64_t decompressed_limit(std::uint64_t compressed_bytes) {
  return (std::uint64_t{256} << 20) + 1032 * compressed_bytes;
}

// A finding Z1 (gzip), Z2 (zstd), Z3 (bytes after the end) or Z4 comes out of fault().
[[nodiscard]] std::unique_ptr<Stream> decompress(Compression form, std::unique_ptr<Stream> compressed,
                                                 Members members = Members::one);
// Of a zstd frame, or of one that is to be skipped (RFC 8878, 3.1).
[[nodiscard]] bool is_zstd_magic(std::uint32_t first_four_bytes);
// Looks at the first bytes, which are still delivered by the stream that comes back.
[[nodiscard]] std::unique_ptr<Stream> decompress_by_magic(std::unique_ptr<Stream> bytes);

}  // namespace packer
