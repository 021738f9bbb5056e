// Hashing that a signal ends between two pieces, for checks: a file may have 8 GiB, or be a sparse one of
// 1 TiB. What is sealed at the end of a run is hashed by common::digest_file, which goes on: a run that is
// asked to stop saves first.
#pragma once

#include <filesystem>

#include "common/file.hpp"

namespace common {

// Throws interrupted once a signal has come.
[[nodiscard]] FileDigest digest_or_stop(const File& file, const std::filesystem::path& name);

}  // namespace common
