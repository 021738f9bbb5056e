// The two compressed forms of an archive, each stricter than the libraries that usually read them: exactly
// one gzip member with the right CRC and length, or exactly one zstd frame with its checksum, and then the
// end of the file. Reading libarchive's filters instead would accept a wrong CRC, a wrong length and anything
// behind the end.
#pragma once

namespace packer {

enum class Compression { none, gzip, zstd };

}  // namespace packer
