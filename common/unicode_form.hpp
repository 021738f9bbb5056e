// The normal forms of Unicode, for names of files: what was copied through macOS is decomposed ("e" and an
// accent), what people type mostly is not, and both look the same.
#pragma once

#include <string>
#include <vector>

namespace common {

// The name itself, then as NFC and as NFD where these differ from it. A name that is not UTF-8 has itself
// alone.
[[nodiscard]] std::vector<std::string> normal_forms(const std::string& name);

}  // namespace common
