#include "trainer/report/cli/commands.hpp"

namespace trainer {

common::Program safe_report() {
  common::Program program("safe-report", "Compare finished runs and verify them.");
  add_report(program);
  add_verify_run(program);
  add_sign_run(program);
  add_captions(program);
  return program;
}

}  // namespace trainer
