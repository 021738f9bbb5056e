// The commit that this build was made from, for config.json: 40 hexadecimal digits; with "-modified-" and
// twelve more where the sources differed from that commit, of the SHA-256 of the difference; "unknown" where
// the sources did not come from a repository of their own. Asked anew by every build.
#pragma once

namespace trainer {

[[nodiscard]] const char* git_commit();

}  // namespace trainer
