// Flags for the adapter's shape and the prompt: each replaces what --model-config fixes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/cli/verb.hpp"
#include "trainer/train/config.hpp"

namespace trainer {

// What was typed. What is absent leaves the preset's value alone.
struct ShapeFlags {
  std::string prompt = "original";
  std::optional<std::int64_t> audio_tokens, bottleneck, fusion_heads, lora_rank;
  std::optional<std::vector<std::int64_t>> fusion_layers;
};

// `flags` outlives the verb.
void add_prompt_flag(common::Verb& verb, std::string& prompt);
void add_shape_flags(common::Verb& verb, ShapeFlags& flags);
[[nodiscard]] PromptForm prompt_form(const std::string& flag);
void apply(const ShapeFlags& flags, RunConfig& config);

}  // namespace trainer
