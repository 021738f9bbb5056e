#include <memory>

#include "trainer/cli/commands.hpp"
#include "trainer/cli/in_group.hpp"
#include "trainer/cli/run_flags.hpp"
#include "trainer/run/run.hpp"

namespace trainer {

void add_run(common::Program& program) {
  common::Verb& verb = program.add(
      {"run",
       "Train and judge one variant from a verified pack",
       {"run --variant full_safe --pack-root experiments/overfitting/data_pack",
        "run --variant soft_retention --seed 43 --num-epochs 96 --resume"},
       {{1, "the pack or the base is damaged or not the expected one, or a mechanism never acted"},
        {3, k_io},
        {4, k_unsigned},
        {75, k_stopped},
        {130, k_interrupted}}});
  const auto run_flags = std::make_shared<RunFlags>();
  add_run_flags(verb, *run_flags);
  verb.action([run_flags](const common::CommonFlags& flags) {
    return in_group([&](const std::shared_ptr<const ProcessGroup>& group) {
      RunConfig config = resolve(*run_flags);
      config.verbosity = flags.verbosity();
      config.threads = threads_of(*group, flags.threads != 0 ? flags.threads : config.threads);
      return on_device([&] {
        const RunResult result =
            run_experiment(config, run_flags->resume ? Resume::resume : Resume::fresh, group);
        if (group->is_first()) print_run(result, flags);
        return 0;
      });
    });
  });
}

}  // namespace trainer
