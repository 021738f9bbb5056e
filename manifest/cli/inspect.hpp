// The commands of safe-manifest that read manifests and write none: check, show and diff. Each returns the
// exit code.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/cli/verb.hpp"

namespace manifest {

// 1 where there is any finding. What a manifest says was skipped is told, and no finding.
int check(const std::vector<std::filesystem::path>& manifests, const common::CommonFlags& flags);
// What the manifest holds, in a few lines; with an id, the rows that carry it (1 where there is none).
int show(const std::filesystem::path& manifest, const std::string& id, const common::CommonFlags& flags);
// 1 where the two differ in anything.
int diff(const std::filesystem::path& a, const std::filesystem::path& b, const common::CommonFlags& flags);

}  // namespace manifest
