// A pack as one file: the canonical ustar of FORMAT.md, plain, in one gzip member or in one zstd frame. Every
// byte is hashed on its way and compared with the seal, so a pack that does not verify is never archived.
#pragma once

#include <filesystem>

#include "common/digest.hpp"
#include "common/progress.hpp"

namespace packer {

struct ArchiveRequest {
  std::filesystem::path pack;  // a folder, or a .tar that is written in another form
  std::filesystem::path out;   // .tar, .tar.zst, .tgz or .tar.gz
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
};

struct ArchiveSummary {
  common::Digest id;
  std::size_t files = 0;
  std::uint64_t bytes = 0;  // of the archive
};

// Throws mismatch that lists the findings; then nothing is left behind.
[[nodiscard]] ArchiveSummary archive(const ArchiveRequest& request);

}  // namespace packer
