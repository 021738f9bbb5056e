// An archive becomes a folder, verified while it is written: into a draft, which takes its place only when
// every rule held. A damaged archive leaves nothing behind; a run that was stopped or killed leaves its
// draft, and the next one goes on from the files in it that hash to what the seal says. Of a .tar these are
// then not read again, and the others by many threads.
#pragma once

#include <filesystem>
#include <optional>

#include "common/digest.hpp"
#include "common/progress.hpp"

namespace packer {

struct ExtractRequest {
  std::filesystem::path archive;              // or "-"
  std::optional<std::filesystem::path> dest;  // becomes the pack; else its own name in the current folder
  std::optional<common::Digest> expected_id;
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
  std::optional<std::filesystem::path> trusted_key{};  // the public key that must have signed the pack
};

struct ExtractSummary {
  common::Digest id;
  std::filesystem::path location;
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};

// Throws mismatch that lists the findings, or signature where the trusted key did not sign it.
[[nodiscard]] ExtractSummary extract(const ExtractRequest& request);

}  // namespace packer
