// SHA256SUMS, the seal: one line a file, 64 lower-case hexadecimal digits, two spaces, the path, a line feed;
// sorted by path bytes, no path twice. The SHA-256 of these bytes is the id of
// what they seal.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/digest.hpp"
#include "common/path.hpp"
#include "common/sealed/finding.hpp"

namespace common {

inline constexpr std::string_view k_seal_name = "SHA256SUMS";
inline constexpr std::string_view k_signature_name = "SHA256SUMS.sig";
inline constexpr std::size_t k_signature_bytes = 64;
inline constexpr std::size_t k_file_count_limit = 500'000;
inline constexpr std::uint64_t k_seal_limit_bytes = std::uint64_t{64} << 20;

struct SumsLine {
  PackPath path;
  Digest digest;
  auto operator<=>(const SumsLine&) const = default;
};

// `lines` is sorted by path, strictly.
[[nodiscard]] std::string write_sums(const std::vector<SumsLine>& lines);

// The well-formed lines, sorted; what is wrong with the others goes to `findings` (S2 to S6, N1), a
// line for a file of `required` among them. Without a finding, write_sums gives `text` back.
[[nodiscard]] std::vector<SumsLine> parse_sums(std::string_view text, std::span<const std::string> required,
                                               Findings& findings,
                                               std::size_t path_limit_bytes = PackPath::k_limit_bytes);

}  // namespace common
