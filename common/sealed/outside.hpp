// A sealed folder (a pack or a run) lists every file in it: one more file, and it no longer verifies. So
// nothing is written into one but by those who seal it again.
#pragma once

#include <filesystem>

namespace common {

// Throws a usage error where `target` would lie inside a pack or a run that is sealed. `target` and folders
// on the way to it need not be there.
void require_outside_of_sealed(const std::filesystem::path& target);

}  // namespace common
