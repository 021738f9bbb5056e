// SHA256SUMS, the seal: one line a file, 64 lower-case hexadecimal digits, two spaces, the path, a line feed;
// sorted by path bytes, no path twice. The SHA-256 of these bytes is the pack's id.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/digest.hpp"
#include "common/path.hpp"
#include "packer/finding.hpp"

namespace packer {

struct SumsLine {
  common::PackPath path;
  common::Digest digest;
  auto operator<=>(const SumsLine&) const = default;
};

// `lines` is sorted by path, strictly.
[[nodiscard]] std::string write_sums(const std::vector<SumsLine>& lines);

// The well-formed lines, sorted; what is wrong with the others goes to `findings` (S2 to S6, N1). Without a
// finding, write_sums gives `text` back.
[[nodiscard]] std::vector<SumsLine> parse_sums(std::string_view text, Findings& findings);

}  // namespace packer
