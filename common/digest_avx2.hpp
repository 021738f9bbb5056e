// SHA-256's compression function over eight messages at once: a LaneKernel's. To be called only on an x86-64
// processor that has AVX2.
#pragma once

#include <cstddef>
#include <cstdint>

namespace common {

void compress_avx2(std::uint32_t* const* states, const std::uint8_t* const* messages, std::size_t blocks);

}  // namespace common
