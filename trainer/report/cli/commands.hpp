// The verbs on finished runs. They need no LibTorch: safe-report has these alone, safe-trainer has them too.
#pragma once

#include "common/cli/program.hpp"

namespace trainer {

void add_report(common::Program& program);
// Its exit code is 1 where something has changed or does not follow, 4 where the trusted key did not sign it.
void add_verify_run(common::Program& program);
// Captions of a run for programs that score them.
void add_captions(common::Program& program);
void add_sign_run(common::Program& program);

[[nodiscard]] common::Program safe_report();

}  // namespace trainer
