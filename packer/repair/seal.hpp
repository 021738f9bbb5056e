// Which SHA256SUMS a damaged pack is to be repaired to. An own one that parses is believed unless an id is
// expected or a key is trusted. A lost or garbled one is replaced only where that id, that key, or what is
// left of the pack itself, proves which bytes it had.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/sealed/signing_key.hpp"
#include "packer/repair/site.hpp"

namespace packer {

struct SealCandidate {
  std::string from;
  common::Bytes bytes;
  std::optional<common::Bytes> signature;  // what stands beside it, where that has the right length
};

// What the user knows about the pack from elsewhere.
struct SealDemand {
  std::optional<common::Digest> id;
  std::optional<common::PublicKey> key;
};

struct SettledSeal {
  common::Bytes bytes;
  std::vector<common::SumsLine> lines;
  std::string from;  // empty: the pack's own
  // With a trusted key: the signature that made it believed, where it is not the pack's own.
  std::optional<SealCandidate> signature;
};

// Throws mismatch where nothing proves any seal, signature where none that was found is signed by the trusted
// key; changes nothing.
[[nodiscard]] SettledSeal settle_seal(const RepairSite& site, const SealDemand& demand,
                                      const std::vector<SealCandidate>& candidates, unsigned threads);

}  // namespace packer
