// safe-packer with all of its verbs, in the order in which --help lists them.
#pragma once

#include "common/cli/program.hpp"

namespace packer {

[[nodiscard]] common::Program safe_packer();

}  // namespace packer
