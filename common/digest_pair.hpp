// SHA-256's compression function (FIPS 180-4, 6.2.2) over two messages at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/digest_constants.hpp"

namespace common {

// Whether this processor has the instructions; else compress_pair must not be called with blocks.
[[nodiscard]] bool can_compress_pairs();

// `blocks` blocks from each message; a state is eight words, H0 first.
void compress_pair(std::uint32_t* state_a, const std::uint8_t* a, std::uint32_t* state_b,
                   const std::uint8_t* b, std::size_t blocks);

}  // namespace common
