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
  const std::string seal_name(common::k_seal_name);
  if (folder.look(seal_name))
    throw Error(ErrorKind::io, folder.path_of(seal_name).string() +
                                   " was put there while the run was written; remove it and resume the run");
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

common::Bytes read_sealed(const fs::path& run, const common::Digest& seal, const std::string& inside) {
  constexpr std::uint64_t k_limit_bytes = std::uint64_t{8} << 30;
  const common::Folder folder = common::Folder::open(run);
  const auto changed = [&](const std::string& name) {
    return Error(ErrorKind::mismatch, folder.path_of(name).string() +
                                          " has changed since the run was verified; verify the run again");
  };
  const std::string seal_name(common::k_seal_name);
  const common::Bytes sums = folder.read(seal_name, common::k_seal_limit_bytes);
  if (common::digest_of(sums) != seal) throw changed(seal_name);
  common::Findings none;
  common::Bytes bytes = folder.read(inside, k_limit_bytes);
  const common::Digest digest = common::digest_of(bytes);
  for (const common::SumsLine& line :
       common::parse_sums(common::text_of(sums), {}, none, form_of_run().path_limit_bytes))
    if (line.path.text() == inside && line.digest == digest) return bytes;
  throw changed(inside);
}

}  // namespace trainer
