// What parts of a run cost, in bytes and operations, from the shapes of its models. Axes: H width, E width of
// a head. Estimates, from above where they are not exact.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "trainer/formats/llava_config.hpp"
#include "trainer/model/compat.hpp"
#include "trainer/retention/mechanism_table.hpp"
#include "trainer/train/config.hpp"

namespace trainer {

inline constexpr std::uint64_t k_float32_bytes = 4;

[[nodiscard]] std::uint64_t bytes_of(torch::Dtype dtype);
[[nodiscard]] std::uint64_t product_of(std::initializer_list<std::int64_t> sides);

// What the mechanisms that are on take together.
[[nodiscard]] MechanismNeeds retention_needs(const RunConfig& config);
// The adapter with its moments and gradients, and what the mechanisms remember.
[[nodiscard]] std::uint64_t adapter_bytes(const RunConfig& config);

// Positions of one row in a pass: those that are computed, and those before them that are only looked at.
struct RowShape {
  std::int64_t own = 0, prefix = 0;
};
// What a row takes while its gradient is computed: graph, keys of its prefix, logits, adapter.
[[nodiscard]] std::uint64_t row_bytes(const RunConfig& config, const DecoderConfig& decoder,
                                      torch::Dtype dtype, const RowShape& shape);
[[nodiscard]] std::uint64_t keys_bytes(const DecoderConfig& decoder, std::int64_t layers,
                                       std::int64_t positions, torch::Dtype dtype);
// What one layer takes for a moment, for `positions` that attend to `keys`.
[[nodiscard]] std::uint64_t moment_bytes(const DecoderConfig& decoder, std::int64_t positions,
                                         std::int64_t keys, torch::Dtype dtype);

// Of the linear maps, whose share is nearly all.
[[nodiscard]] double forward_flops(const DecoderConfig& decoder, std::int64_t layers, std::int64_t positions);

}  // namespace trainer
