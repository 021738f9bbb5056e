// Reading pack.json. Its schema is closed and enforced where each value stands, so that a text of a stranger
// takes no more memory than the value that it states, and every list ends at its limit.
#pragma once

#include <optional>
#include <string_view>

#include "common/sealed/finding.hpp"
#include "packer/format/info.hpp"

namespace packer {

// P1 to P5, P7 and F7 go to `findings`; nothing is returned where the text is no pack.json of this version.
[[nodiscard]] std::optional<PackInfo> parse_info(std::string_view text, common::Findings& findings);

}  // namespace packer
