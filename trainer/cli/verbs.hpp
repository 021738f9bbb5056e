// safe-trainer with all of its verbs, in the order in which --help lists them.
#pragma once

#include "common/cli/program.hpp"

namespace trainer {

[[nodiscard]] common::Program safe_trainer();

}  // namespace trainer
