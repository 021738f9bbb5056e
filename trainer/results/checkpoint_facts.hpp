// What the metadata of checkpoints/last.safetensors says, read without LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace trainer {

struct CheckpointFacts {
  std::int64_t step = 0;  // that was done last
  std::string config_digest;
  std::uint64_t history_bytes = 0;  // of history.jsonl up to that step,
  std::string history_sha256;       // and their digest
};

[[nodiscard]] std::map<std::string, std::string> format_checkpoint_facts(const CheckpointFacts& facts);
// One that is missing, or a number that is none, is a mismatch error that names `path`.
[[nodiscard]] CheckpointFacts parse_checkpoint_facts(const std::map<std::string, std::string>& metadata,
                                                     const std::string& path);

}  // namespace trainer
