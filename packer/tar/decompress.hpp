// Reading the compressed forms of an archive.
#pragma once

#include <memory>

#include "packer/tar/compression.hpp"
#include "packer/tar/stream.hpp"

namespace packer {

// any: several in a row, and zstd frames without a checksum, as other people's archives have them.
enum class Members { one, any };

// A finding Z1 (gzip), Z2 (zstd) or Z3 (bytes after the end) comes out of fault().
[[nodiscard]] std::unique_ptr<Stream> decompress(Compression form, std::unique_ptr<Stream> compressed,
                                                 Members members = Members::one);
// Looks at the first bytes, which are still delivered by the stream that comes back.
[[nodiscard]] std::unique_ptr<Stream> decompress_by_magic(std::unique_ptr<Stream> bytes);

}  // namespace packer
