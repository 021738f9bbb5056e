// A pack as one file: the canonical ustar of FORMAT.md, plain, in one gzip member or in one zstd frame. Every
// byte is hashed on its way and compared with the seal, so a pack that does not verify is never archived.
#pragma once

#include <filesystem>
#include <optional>

#include "common/digest.hpp"
#include "common/progress.hpp"
#include "packer/tar/compression.hpp"

namespace packer {

struct ArchiveRequest {
  std::filesystem::path pack;  // a folder, or a .tar that is written in another form
  std::filesystem::path out;   // .tar, .tar.zst, .tgz or .tar.gz; "-" is the standard output
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
  std::optional<Compression> compression{};  // of the standard output alone; else none: a plain tar
};

struct ArchiveSummary {
  common::Digest id;
  std::size_t files = 0;
  std::uint64_t bytes = 0;  // of the archive
};

// Throws mismatch that lists the findings; then nothing is left behind. What was written to the standard
// output by then lacks its end, and no reader of packs accepts it.
[[nodiscard]] ArchiveSummary archive(const ArchiveRequest& request);

}  // namespace packer
