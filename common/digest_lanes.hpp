// SHA-256's compression function over several messages at once, by what this processor has for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/digest_constants.hpp"

namespace common {

inline constexpr std::size_t k_most_lanes = 16;

struct LaneKernel {
  const char* name;   // "AVX2"
  std::size_t lanes;  // messages at once
  // states[i]: eight words, H0 first, of the i-th of `lanes` messages, of which `blocks` blocks are taken.
  void (*compress)(std::uint32_t* const* states, const std::uint8_t* const* messages, std::size_t blocks);
};

// Those that this processor has the instructions for; all give the same digests.
[[nodiscard]] std::span<const LaneKernel> lane_kernels();

struct LaneChoice {
  const LaneKernel* kernel = nullptr;  // null: none beats one message after the other
  std::size_t worth_from = 2;          // messages; fewer are done sooner one after the other
  [[nodiscard]] std::size_t lanes() const { return kernel == nullptr ? 1 : kernel->lanes; }
};
// The kernel that took most bytes in a trial of microseconds, when this was first called.
[[nodiscard]] const LaneChoice& lane_choice();

}  // namespace common
