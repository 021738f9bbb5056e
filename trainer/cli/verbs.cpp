#include "trainer/cli/verbs.hpp"

#include "trainer/cli/commands.hpp"
#include "trainer/report/cli/commands.hpp"

namespace trainer {

common::Program safe_trainer() {
  common::Program program(
      "safe-trainer", "Train and judge the variants of the overfitting ablation, from verified packs only.");
  for (const auto add : {add_make_base, add_inspect, add_plan, add_run, add_sweep, add_evaluate, add_report,
                         add_verify_run, add_sign_run, add_captions})
    add(program);
  return program;
}

}  // namespace trainer
