#include "packer/leaks/bit_counts.hpp"

#include <algorithm>
#include <bit>

namespace packer {
namespace {

// Inlined into each of its two callers, which are compiled for two processors.
[[gnu::always_inline]] inline BitCounts count_words(const std::uint32_t* signs, const std::uint32_t* sure,
                                                    const std::uint32_t* other_signs,
                                                    const std::uint32_t* other_sure, std::size_t words) {
  BitCounts counts;
  for (std::size_t i = 0; i < words; ++i) {
    const std::uint32_t both = sure[i] & other_sure[i];
    counts.compared += static_cast<std::size_t>(std::popcount(both));
    counts.differ += static_cast<std::size_t>(std::popcount((signs[i] ^ other_signs[i]) & both));
  }
  return counts;
}

[[gnu::always_inline]] inline int nearest_of(std::uint64_t hash, const std::uint64_t* others,
                                             std::size_t count) {
  int least = 64;
  for (std::size_t i = 0; i < count; ++i) least = std::min(least, std::popcount(hash ^ others[i]));
  return least;
}

#if defined(__x86_64__)
[[gnu::target("popcnt")]] BitCounts count_words_fast(const std::uint32_t* signs, const std::uint32_t* sure,
                                                     const std::uint32_t* other_signs,
                                                     const std::uint32_t* other_sure, std::size_t words) {
  return count_words(signs, sure, other_signs, other_sure, words);
}
[[gnu::target("popcnt")]] int nearest_of_fast(std::uint64_t hash, const std::uint64_t* others,
                                              std::size_t count) {
  return nearest_of(hash, others, count);
}
const bool k_has_popcnt = __builtin_cpu_supports("popcnt") != 0;
#endif

}  // namespace

BitCounts count_bits(const std::uint32_t* signs, const std::uint32_t* sure, const std::uint32_t* other_signs,
                     const std::uint32_t* other_sure, std::size_t words) {
#if defined(__x86_64__)
  if (k_has_popcnt) return count_words_fast(signs, sure, other_signs, other_sure, words);
#endif
  return count_words(signs, sure, other_signs, other_sure, words);
}

int nearest_hash(std::uint64_t hash, const std::uint64_t* others, std::size_t count) {
#if defined(__x86_64__)
  if (k_has_popcnt) return nearest_of_fast(hash, others, count);
#endif
  return nearest_of(hash, others, count);
}

}  // namespace packer
