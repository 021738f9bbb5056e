#include "trainer/train/git_commit.hpp"

// Defines SAFE_GIT_COMMIT; written by git_commit.cmake.
#include "git_commit_text.hpp"

namespace trainer {

const char* git_commit() { return SAFE_GIT_COMMIT; }

}  // namespace trainer
