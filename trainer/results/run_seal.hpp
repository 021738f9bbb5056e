// The seal of a run: SHA256SUMS over every file in it, written last of all, and SHA256SUMS.sig where somebody
// signed it. What it proves:
//
// Without a key: that the files are those that were there when the seal was written. It finds damage: a disk
// or a transfer that changed a byte, a file that was lost, added or edited without thought of the seal. It
// proves nothing against somebody who wants to deceive: whoever can write to the folder can write a new
// SHA256SUMS too. What such a person cannot do is make the files contradict one another, because
// trainer/results/run_check.hpp computes scores from answers, and metrics.json from predictions.jsonl,
// history.jsonl and config.json. It remains possible to invent answers, and to compute all the rest from
// them.
//
// With a key that came to the reader by another way: that the owner of the key signed exactly these files.
// Nobody else can change or replace the run, whatever they can write to. It does not prove that the run was
// trained as it says: that is the word of the signer, and who doubts it trains the run again.
//
// A sealed run is never written again, but for the signature beside the seal.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/bytes.hpp"
#include "common/digest.hpp"
#include "common/sealed/finding.hpp"
#include "common/sealed/folder.hpp"
#include "common/sealed/signature.hpp"

namespace trainer {

// Writes SHA256SUMS, and SHA256SUMS.sig where there is a key. A file that must be there and is not, a link or
// a draft left behind is a mismatch error. Returns the digest of SHA256SUMS: the run's name for its bytes.
common::Digest seal_run(const std::filesystem::path& run, const common::SecretKey* key = nullptr);

// The key to sign a run with; nothing where none is named. Read before any work, so that a wrong one does
// not cost a day of training.
[[nodiscard]] std::optional<common::SecretKey> read_run_key(const std::optional<std::filesystem::path>& key);

enum class RunSignature { absent, not_checked, good, refused };

struct RunSealCheck {
  common::Findings findings;  // sorted; none: every byte is as it was sealed, and nothing was added
  common::Digest digest;      // of SHA256SUMS; all zero where there is none
  RunSignature signature = RunSignature::absent;
};
// The signature is checked first (E2): where the trusted key did not sign the run, nothing else is looked at.
[[nodiscard]] RunSealCheck check_run_seal(const common::Folder& run,
                                          const std::optional<common::PublicKey>& trusted_key,
                                          unsigned threads = 0);

// The bytes of one file of a run that was checked before, when its SHA256SUMS had the digest `seal`: read
// once, and held against that seal. A mismatch error where the seal or the file has changed since.
[[nodiscard]] common::Bytes read_sealed(const std::filesystem::path& run, const common::Digest& seal,
                                        const std::string& inside);

}  // namespace trainer
