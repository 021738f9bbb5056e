// Numbers as a command line has them. A text that is no number, or one that does not fit its range, is a
// usage error that names the flag, what was found and the range; nothing is ever rounded or clamped into it.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace common {

struct WholeRange {
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
};
// Counts (of epochs, clips, tokens) stay below this, so that products of two of them fit 64 bits.
inline constexpr std::int64_t k_most = 1'000'000'000;
inline constexpr WholeRange k_positive_whole = {1, k_most};
inline constexpr WholeRange k_whole = {0, k_most};

enum class RealRange { positive, not_negative, share };  // share: from 0 to 1

// "a whole number, 1 or more".
[[nodiscard]] std::string describe(const WholeRange& range);
[[nodiscard]] std::string describe(RealRange range);

// Decimal digits with or without a minus.
[[nodiscard]] std::int64_t parse_whole(const std::string& flag, const std::string& text,
                                       const WholeRange& range);
// A decimal number, with or without an exponent; finite.
[[nodiscard]] double parse_real(const std::string& flag, const std::string& text, RealRange range);

}  // namespace common
