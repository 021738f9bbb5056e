// Which SHA256SUMS a damaged pack is to be repaired to. An own one that parses is believed unless an id is
// expected. A lost or garbled one is fetched only where the expected id, or what is left of the pack itself,
// proves which bytes it had.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "packer/repair_site.hpp"

namespace packer {

struct SealCandidate {
  std::string from;
  common::Bytes bytes;
};

struct SettledSeal {
  common::Bytes bytes;
  std::vector<SumsLine> lines;
  std::string from;  // empty: the pack's own
};

// Throws mismatch where nothing proves any seal; changes nothing.
[[nodiscard]] SettledSeal settle_seal(const RepairSite& site, const std::optional<common::Digest>& expected,
                                      const std::vector<SealCandidate>& candidates, unsigned threads);

}  // namespace packer
