// The state of a run at the end of a step: trained tensors, optimiser, mechanisms, step. Streams and
// generators are functions of seed and step, so nothing of them needs saving. One file,
// checkpoints/last.safetensors, replaced atomically. Its metadata has a digest of everything else in it, and
// the length and SHA-256 of history.jsonl up to its step, which was on the disk before.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "trainer/model/safe_model.hpp"
#include "trainer/model/safetensors.hpp"
#include "trainer/results/run_directory.hpp"
#include "trainer/retention/mechanism.hpp"
#include "trainer/train/adamw.hpp"

namespace trainer {

// `history` is what JsonLines::save gave after the last record of `step`.
void save_checkpoint(const RunDirectory& run, std::int64_t step, const std::string& config_digest,
                     const common::FileDigest& history, const SafeModel& model, const AdamW& optimiser,
                     const Mechanisms& mechanisms);

struct Checkpoint {
  std::int64_t step = 0;
  std::uint64_t history_bytes = 0;
  TensorFile file;
};
// Nothing where there is none. One of another configuration, one with a byte that has changed, or one whose
// history has changed is a mismatch or format error.
[[nodiscard]] std::optional<Checkpoint> read_checkpoint(const RunDirectory& run,
                                                        const std::string& config_digest);
// Tensors of other shapes are a mismatch error.
void restore(const Checkpoint& checkpoint, SafeModel& model, AdamW& optimiser, Mechanisms& mechanisms);

// The trained tensors beside what was drawn once and the null space's bases: all that a later program needs
// to put the adapter on the same base again. In checkpoints/adapter.safetensors.
void save_adapter(const RunDirectory& run, const std::string& config_digest, const SafeModel& model);
// Puts such a file's adapter on a model of the same sizes; `path` is for messages. One with other tensors or
// of another silence is a mismatch error.
void load_adapter(const TensorFile& file, const std::filesystem::path& path, SafeModel& model);

}  // namespace trainer
