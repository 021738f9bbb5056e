#include "packer/repair/seal.hpp"

#include <algorithm>
#include <atomic>
#include <map>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "packer/format/names.hpp"

namespace packer {
namespace {

using common::Error;
using common::ErrorKind;

// What is left of the pack's own seal.
struct OwnSeal {
  std::optional<common::Bytes> bytes;
  std::vector<common::SumsLine> lines;  // those that are legible
  common::Findings findings;
};

OwnSeal read_own(const RepairSite& site) {
  OwnSeal own;
  const std::string seal(common::k_seal_name);
  if (site.files().count(seal) == 0) return own;
  try {
    own.bytes = site.folder().read(seal, common::k_seal_limit_bytes);
  } catch (const Error&) {
    return own;  // too long, or unreadable: as good as lost
  }
  own.lines = common::parse_sums(common::text_of(*own.bytes), required_files(), own.findings);
  return own;
}

std::optional<common::Bytes> own_signature(const RepairSite& site) {
  const std::string name(common::k_signature_name);
  if (site.files().count(name) == 0) return std::nullopt;
  try {
    return site.folder().read(name, common::k_signature_bytes);
  } catch (const Error&) {
    return std::nullopt;
  }
}

SettledSeal settled(common::Bytes bytes, std::string from) {
  SettledSeal seal{std::move(bytes), {}, std::move(from), {}};
  common::Findings ignored;  // the verify that ends every repair lists them
  seal.lines = common::parse_sums(common::text_of(seal.bytes), required_files(), ignored);
  return seal;
}

// The seal that the pack's files have as they are now.
common::Bytes seal_of_files(const RepairSite& site, unsigned threads) {
  std::vector<common::SumsLine> lines;
  for (const std::string& path : site.files())
    if (path != common::k_seal_name && path != common::k_signature_name &&
        common::why_not_a_pack_path(path).empty() && role_of(path))
      lines.push_back({common::PackPath(path), {}});
  common::parallel_for(lines.size(), threads, [&](std::size_t i) {
    if (const auto digest = site.digest_of(lines[i].path.text())) lines[i].digest = *digest;
  });
  std::sort(lines.begin(), lines.end());
  const std::string text = common::write_sums(lines);
  return {text.begin(), text.end()};
}

// Every line of the candidate is confirmed by the pack: by a legible line of its own seal or by the file
// itself. A legible line that says otherwise refutes it: either may be the damaged one.
bool is_proven(const std::vector<common::SumsLine>& candidate, const OwnSeal& own, const RepairSite& site,
               unsigned threads) {
  std::map<common::PackPath, common::Digest> legible;
  for (const common::SumsLine& line : own.lines) legible.emplace(line.path, line.digest);
  std::vector<const common::SumsLine*> by_file;
  std::size_t by_line = 0;
  for (const common::SumsLine& line : candidate) {
    const auto at = legible.find(line.path);
    if (at == legible.end())
      by_file.push_back(&line);
    else if (at->second == line.digest)
      ++by_line;
    else
      return false;
  }
  if (by_line != legible.size()) return false;
  std::atomic<bool> proven{true};
  common::parallel_for(by_file.size(), threads, [&](std::size_t i) {
    if (proven && site.digest_of(by_file[i]->path.text()) != by_file[i]->digest) proven = false;
  });
  return proven;
}

// Holds a seal against what the user knows from elsewhere.
class Witness {
 public:
  Witness(const RepairSite& site, const SealDemand& demand, const std::vector<SealCandidate>& candidates)
      : demand_(demand) {
    if (auto signature = own_signature(site)) signatures_.push_back({"", std::move(*signature), {}});
    for (const SealCandidate& candidate : candidates)
      if (candidate.signature) signatures_.push_back({candidate.from, *candidate.signature, {}});
  }
  [[nodiscard]] std::optional<SettledSeal> confirm(common::Bytes seal, const std::string& from) const {
    if (demand_.id && common::digest_of(seal) != *demand_.id) return std::nullopt;
    if (!demand_.key) return settled(std::move(seal), from);
    for (const SealCandidate& signature : signatures_)
      if (demand_.key->verifies(seal, signature.bytes)) {
        SettledSeal confirmed = settled(std::move(seal), from);
        if (!signature.from.empty()) confirmed.signature = signature;
        return confirmed;
      }
    return std::nullopt;
  }

 private:
  const SealDemand& demand_;
  std::vector<SealCandidate> signatures_;  // `bytes` is the signature's own
};

[[noreturn]] void refuse_demand(const RepairSite& site, const SealDemand& demand) {
  std::string what = "no SHA256SUMS";
  if (demand.id) what += " with the id " + demand.id->hex();
  if (demand.key) what += " that the trusted key signed";
  throw Error(demand.key ? ErrorKind::signature : ErrorKind::mismatch,
              what + " was found, neither in " + site.pack().string() +
                  " nor in what --from names; name a pack or an archive that has it");
}

[[noreturn]] void refuse_unproven(const RepairSite& site, const OwnSeal& own,
                                  const std::vector<SealCandidate>& candidates) {
  std::string text = "SHA256SUMS of " + site.pack().string() +
                     (own.bytes ? " is damaged" : " is missing or unreadable") +
                     ", and nothing left of the pack proves what it was. Nothing was changed.";
  for (const common::Finding& finding : own.findings) text += "\n  " + describe(finding);
  for (const SealCandidate& candidate : candidates)
    text += "\n" + candidate.from + " has one with the id " + common::digest_of(candidate.bytes).hex();
  throw Error(
      ErrorKind::mismatch,
      text + (candidates.empty() ? "\nName a pack that has it (--from PACK), and its id (--expect ID)"
                                 : "\nIf that is the right one, say so with --expect ID or --trust KEY"));
}

}  // namespace

SettledSeal settle_seal(const RepairSite& site, const SealDemand& demand,
                        const std::vector<SealCandidate>& candidates, unsigned threads) {
  const OwnSeal own = read_own(site);
  if (demand.id || demand.key) {
    const Witness witness(site, demand, candidates);
    if (own.bytes)
      if (auto seal = witness.confirm(*own.bytes, "")) return *seal;
    for (const SealCandidate& candidate : candidates)
      if (auto seal = witness.confirm(candidate.bytes, candidate.from)) return *seal;
    // Where the seal alone is damaged, the files give it back, and the id or the signature proves it.
    if (auto seal = witness.confirm(seal_of_files(site, threads), "the pack's own files, which prove it"))
      return *seal;
    refuse_demand(site, demand);
  }
  if (own.bytes && own.findings.empty()) return settled(*own.bytes, "");
  for (const SealCandidate& candidate : candidates) {
    SettledSeal seal = settled(candidate.bytes, candidate.from);
    common::Findings findings;
    (void)common::parse_sums(common::text_of(candidate.bytes), required_files(), findings);
    if (findings.empty() && is_proven(seal.lines, own, site, threads)) return seal;
  }
  refuse_unproven(site, own, candidates);
}

}  // namespace packer
