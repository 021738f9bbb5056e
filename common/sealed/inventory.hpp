// What lies in a sealed folder, held against what its SHA256SUMS lists. Rules F1 to F5 of packer/FORMAT.md;
// they hold for packs, runs and bases alike.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes.hpp"
#include "common/digest.hpp"
#include "common/sealed/finding.hpp"
#include "common/sealed/folder.hpp"
#include "common/sealed/sums.hpp"

namespace common {

// Regular files by their path, with their sizes in bytes.
using Inventory = std::map<std::string, std::uint64_t>;

// Everything else that a sealed folder cannot hold becomes a finding: a folder that no legal path reaches
// (F3), a link or device (F4), an empty folder (F5).
[[nodiscard]] Inventory take_inventory(const Folder& folder, Findings& findings,
                                       std::size_t path_limit_bytes = PackPath::k_limit_bytes);

// F1, what is listed and not there; F3, what is there and not listed.
void compare_names(const Inventory& inventory, const std::vector<SumsLine>& sums, Findings& findings);

// What every folder of one kind has, and how long a path in it may be.
struct SealForm {
  std::vector<std::string> required;
  std::size_t path_limit_bytes = PackPath::k_limit_bytes;
};

// Lists every file of the folder in SHA256SUMS, which is written last; each is on the disk before. Throws
// mismatch where a required file is missing or something is there that a sealed folder cannot hold. Returns
// the bytes of SHA256SUMS; their digest is the folder's id.
std::string seal_folder(const Folder& folder, const SealForm& form);

struct SealCheck {
  Findings findings;  // sorted; none: every byte is as it was sealed, and nothing was added
  Digest id;          // of SHA256SUMS
  std::vector<SumsLine> sums;
};
// `seal` holds the bytes of the folder's SHA256SUMS, read once by the caller: what was checked against a key
// is what is parsed. Reads everything else. `threads` 0: as many as there are.
[[nodiscard]] SealCheck check_sealed_folder(const Folder& folder, const Bytes& seal, const SealForm& form,
                                            unsigned threads);

// SHA256SUMS and SHA256SUMS.sig, not parsed yet. Nothing where one is not there or cannot be one; what is
// wrong with it goes to `findings` (S1, S7).
struct SealBytes {
  std::optional<Bytes> seal, signature;
};
[[nodiscard]] SealBytes read_seal(const Folder& folder, Findings& findings);

}  // namespace common
