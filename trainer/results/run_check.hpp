// Whether a run is what it says. First its seal (trainer/results/run_seal.hpp says what that proves); then,
// where every byte is as it was sealed, everything that can be computed from other files of the run is
// computed again, and the bytes are compared. These rules hold for every sealed run:
//
//   R1  Each file of the run is written as this program writes it, to the byte.
//   R2  config_digest in config.json is the digest of the configuration; output_dir ends with the variant and
//       an id of that digest; pack_id and base_digest are digests.
//   R3  Every score in predictions.jsonl follows from the answer and the references of its line.
//   R4  An item is the same under every condition: question, references, and what the base answered. Without
//       audio the adapter answers as the base does, where metrics.json says that both are equal.
//   R5  metrics.json follows from predictions.jsonl, history.jsonl and config.json, but for what only the
//       tensors know; that has to be possible, and is listed in `not_derived`.
//   R6  history.jsonl has every step once, in order, with the losses that add up to its total.
//   R7  What the run keeps besides belongs to it: the own pack has the id that config.json names, the
//       checkpoints have its config_digest, subset_indices.json counts the clips that it was trained on.
//   R10 learning_curve.jsonl has a look at every step that config.json names, each of the same items, which
//       predictions.jsonl has.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/sealed/finding.hpp"
#include "trainer/results/run_seal.hpp"

namespace trainer {

struct RunCheck {
  common::Findings findings;  // sorted; none: the run is whole and contradicts itself nowhere
  common::Digest digest;      // of SHA256SUMS
  RunSignature signature = RunSignature::absent;
  // What no other file of the run can contradict, a sentence each.
  std::vector<std::string> not_derived;
  // The same of what the pack alone can contradict (trainer/report/pack_check.hpp).
  std::string of_pack;
};

// Throws io where `run` is no folder. `trusted_key`: the public key that must have signed it, a file outside
// of it.
[[nodiscard]] RunCheck verify_run(const std::filesystem::path& run,
                                  const std::optional<std::filesystem::path>& trusted_key = {});

struct RunSigning {
  common::Digest digest;  // of SHA256SUMS
  common::Signing how = common::Signing::written;
};
// Signs a finished run. It is verified first: a mismatch error where it has findings. A signature by the same
// key is left as it is; one by another key is a usage error.
RunSigning sign_run(const std::filesystem::path& run, const std::filesystem::path& key);

// What to do about a finding: the end of its line.
[[nodiscard]] std::string remedy_for(const common::Finding& finding);
// Whose word a run has, as a sentence.
[[nodiscard]] std::string text_of(RunSignature signature);
// Throws mismatch, or signature where the trusted key did not sign it, that lists the findings.
void refuse_findings(const std::filesystem::path& run, const common::Findings& findings);

}  // namespace trainer
