#include "trainer/results/run_seal.hpp"

#include "common/error.hpp"
#include "common/sealed/inventory.hpp"
#include "common/sealed/lock.hpp"
#include "trainer/results/run_directory.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

// A run keeps the pack that was built for it in this folder, whose name comes before the pack's own paths.
constexpr std::string_view k_own_pack = "source_pack/";

common::SealForm form_of_run() {
  return {{"config.json", "history.jsonl", "metrics.json", "predictions.jsonl", "subset_indices.json"},
          common::PackPath::k_limit_bytes + k_own_pack.size()};
}

// What a write leaves when the process is killed in it; the seal would make it a part of the run.
void refuse_drafts(const common::Folder& run) {
  for (const common::Entry& entry : run.walk())
    if (is_draft(entry.path))
      throw Error(ErrorKind::mismatch, run.path_of(entry.path).string() +
                                           " is an unfinished write, and the run cannot be sealed with it; "
                                           "remove it");
}

}  // namespace

common::Digest seal_run(const fs::path& run, const common::SecretKey* key) {
  const fs::path whole = fs::canonical(run);
  const common::Folder folder = common::Folder::open(whole);
  ENSURE(!folder.look(std::string(common::k_seal_name)));
  refuse_drafts(folder);
  // Where nothing was trained there is no checkpoint.
  (void)folder.remove_if_empty("checkpoints");
  const std::string seal = common::seal_folder(folder, form_of_run());
  if (key != nullptr)
    (void)common::write_signature(common::Folder::open(whole.parent_path()), whole.filename().string(),
                                  folder, common::view_of(seal), *key);
  return common::digest_of(seal);
}

std::optional<common::SecretKey> read_run_key(const std::optional<fs::path>& key) {
  if (!key) return std::nullopt;
  return common::read_signing_key(*key, {});
}

RunSealCheck check_run_seal(const common::Folder& run, const std::optional<common::PublicKey>& trusted_key,
                            unsigned threads) {
  RunSealCheck check;
  const common::SealBytes head = common::read_seal(run, check.findings);
  if (trusted_key) {
    const std::string why = common::why_not_signed(*trusted_key, head.seal, head.signature);
    check.signature = why.empty() ? RunSignature::good : RunSignature::refused;
    if (!why.empty()) {
      check.findings.push_back({std::string(common::k_signature_name), "E2", why});
      return check;
    }
  } else if (head.signature) {
    check.signature = RunSignature::not_checked;
  }
  if (!head.seal) {
    check.findings.push_back(
        {std::string(common::k_seal_name), "S1", "is missing: the run was never finished; resume it"});
    return check;
  }
  common::SealCheck seal = common::check_sealed_folder(run, *head.seal, form_of_run(), threads);
  check.digest = seal.id;
  check.findings.insert(check.findings.end(), seal.findings.begin(), seal.findings.end());
  common::sort_findings(check.findings);
  return check;
}

}  // namespace trainer
