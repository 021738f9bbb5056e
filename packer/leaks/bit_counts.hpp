// Bits of marks, counted. Where the processor has an instruction for it, that is used: a table takes ten
// times as long, and of a hundred thousand items there are five thousand million pairs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace packer {

struct BitCounts {
  std::size_t compared = 0, differ = 0;
};

// Of the bits that are sure in both.
[[nodiscard]] BitCounts count_bits(const std::uint32_t* signs, const std::uint32_t* sure,
                                   const std::uint32_t* other_signs, const std::uint32_t* other_sure,
                                   std::size_t words);

// The least distance of `hash` from one of `others`, in bits; 64 where there is none.
[[nodiscard]] int nearest_hash(std::uint64_t hash, const std::uint64_t* others, std::size_t count);

}  // namespace packer
