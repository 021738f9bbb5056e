// The verbs of safe-manifest with their flags, defaults, examples and exit codes.
#pragma once

#include "common/cli/program.hpp"

namespace manifest {

[[nodiscard]] common::Program safe_manifest();

}  // namespace manifest
