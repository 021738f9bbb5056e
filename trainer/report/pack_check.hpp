// R9: what a run says of its pack, held against the pack. Ids, questions, references and kinds of answers
// stand in predictions.jsonl; nothing else in a run can contradict them.
#pragma once

#include <filesystem>

#include "common/sealed/finding.hpp"
#include "packer/check/open.hpp"

namespace trainer {

// Of a run that verifies. The pack's id must be the one that config.json names.
[[nodiscard]] common::Findings check_against_pack(const std::filesystem::path& run,
                                                  const packer::VerifiedPack& pack);

}  // namespace trainer
