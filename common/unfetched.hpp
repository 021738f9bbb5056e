// What stands in the place of a file that was never fetched. Data sets and models are kept by programs that
// put a small text or a link where the content belongs, and get the content on request: Git LFS, git-annex
// (and DataLad), DVC, the Hugging Face cache. Such a place is called what it is, with the command that
// fetches the content; the content itself is never looked for.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "common/bytes.hpp"

namespace common {

// A pointer file is smaller: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, "less than 1024
// bytes".
inline constexpr std::size_t k_pointer_limit_bytes = 1024;

// "is a Git LFS pointer, not the file itself; fetch it (git lfs pull --include x.wav)", for messages that
// begin with the file's name. Empty: `bytes`, a whole file called `name`, are no pointer.
[[nodiscard]] std::string why_unfetched(ByteView bytes, const std::filesystem::path& name);
// The same of what the user names: also where it, or a folder that it should lie in, is a link that leads
// nowhere, or DVC keeps a record beside it. Empty as well where there is nothing at all, or it cannot be
// read.
[[nodiscard]] std::string why_unfetched(const std::filesystem::path& path);

}  // namespace common
