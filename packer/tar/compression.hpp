// The two compressed forms of an archive, each stricter than the libraries that usually read them: exactly
// one gzip member with the right CRC and length, or exactly one zstd frame with its checksum, and then the
// end of the file. Reading libarchive's filters instead would accept a wrong CRC, a wrong length and anything
// behind the end.
#pragma once

#include <memory>

#include "common/sink.hpp"
#include "packer/tar/stream.hpp"

namespace packer {

enum class Compression { none, gzip, zstd };
// any: several in a row, and zstd frames without a checksum, as other people's archives have them.
enum class Members { one, any };

// A finding Z1 (gzip), Z2 (zstd) or Z3 (bytes after the end) comes out of fault().
[[nodiscard]] std::unique_ptr<Stream> decompress(Compression form, std::unique_ptr<Stream> compressed,
                                                 Members members = Members::one);
// Looks at the first bytes, which are still delivered by the stream that comes back.
[[nodiscard]] std::unique_ptr<Stream> decompress_by_magic(std::unique_ptr<Stream> bytes);

// Compresses into `to`, which must live longer. The tar bytes inside are promised, the compressed ones are
// not.
[[nodiscard]] std::unique_ptr<common::Sink> compress(Compression form, common::Sink& to, unsigned threads);

}  // namespace packer
