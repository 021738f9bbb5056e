// The state of a run at the end of a step: trained tensors, optimiser, mechanisms, step. Streams and
// generators are functions of seed and step, so nothing of them needs saving. One file, replaced atomically.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "trainer/model/safe_model.hpp"
#include "trainer/retention/mechanism.hpp"
#include "trainer/train/adamw.hpp"

namespace trainer {

using Mechanisms = std::vector<std::unique_ptr<RetentionMechanism>>;

void save_checkpoint(const std::filesystem::path& path, std::int64_t step, const std::string& config_digest,
                     const SafeModel& model, const AdamW& optimiser, const Mechanisms& mechanisms);

// Restores everything and returns the step; nothing where there is no checkpoint. One of another
// configuration or with other shapes is a mismatch error.
std::optional<std::int64_t> load_checkpoint(const std::filesystem::path& path,
                                            const std::string& config_digest, SafeModel& model,
                                            AdamW& optimiser, Mechanisms& mechanisms);

// The trained tensors beside what was drawn once and the null space's bases: all that a later program needs
// to put the adapter on the same base again.
void save_adapter(const std::filesystem::path& path, const std::string& config_digest,
                  const SafeModel& model);
// Puts such a file's adapter on a model of the same sizes. One with other tensors or of another silence is a
// mismatch error.
void load_adapter(const std::filesystem::path& path, SafeModel& model);

}  // namespace trainer
