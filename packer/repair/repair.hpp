// Makes a damaged pack's folder whole again: fetches just the files that are missing or bad, by digest, from
// source folders, from another pack, or from an archive. A repair never makes anything worse: it can be
// stopped at any moment, and what it could not find stays as it was.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/progress.hpp"
#include "packer/check/verify.hpp"
#include "packer/repair/site.hpp"

namespace packer {

// What to do with files that the seal does not list.
enum class Extras { leave, move_aside };

struct RepairRequest {
  std::filesystem::path pack;
  std::vector<std::filesystem::path> from;  // folders of any kind, and archives of packs
  std::optional<common::Digest> expected_id;
  Extras extras = Extras::leave;
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
  std::optional<std::filesystem::path> trusted_key{};  // the public key that must have signed the pack
};

struct LostFile {
  std::string path;
  std::string why;
};

struct RepairOutcome {
  std::vector<RepairedFile> repaired;  // by path
  std::vector<LostFile> lost;          // by path: nothing that was named holds its bytes
  std::vector<std::string> moved;      // what stood in the way, or was an extra; lies in `aside` now
  std::filesystem::path aside;
  std::vector<std::string> remarks;  // about what `from` names
  Report report;                     // of the full verify that ends every repair
};

// Throws mismatch (signature, where a key is trusted) where it cannot be known what the pack was; then
// nothing has changed.
[[nodiscard]] RepairOutcome repair(const RepairRequest& request);

}  // namespace packer
