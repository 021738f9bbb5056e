// What lies in a sealed folder, held against what its SHA256SUMS lists. Rules F1 to F5 of packer/FORMAT.md;
// they hold for packs, runs and bases alike.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/sealed/finding.hpp"
#include "common/sealed/folder.hpp"
#include "common/sealed/sums.hpp"

namespace common {

// Regular files by their path, with their sizes in bytes.
using Inventory = std::map<std::string, std::uint64_t>;

// Everything else that a sealed folder cannot hold becomes a finding: a folder that no legal path reaches
// (F3), a link or device (F4), an empty folder (F5).
[[nodiscard]] Inventory take_inventory(const Folder& folder, Findings& findings);

// F1, what is listed and not there; F3, what is there and not listed.
void compare_names(const Inventory& inventory, const std::vector<SumsLine>& sums, Findings& findings);

// Lists every file of the folder in SHA256SUMS, which is written last; each is on the disk before. Throws
// mismatch where a file of `required` is missing or something is there that a sealed folder cannot hold.
// Returns the digest of SHA256SUMS, the folder's id.
Digest seal_folder(const Folder& folder, std::span<const std::string> required);

struct SealCheck {
  Findings findings;  // sorted; none: every byte is as it was sealed, and nothing was added
  Digest id;          // of SHA256SUMS; all zero where there is none
  std::vector<SumsLine> sums;
};
// Reads everything. `threads` 0: as many as there are.
[[nodiscard]] SealCheck check_sealed_folder(const Folder& folder, std::span<const std::string> required,
                                            unsigned threads);

}  // namespace common
