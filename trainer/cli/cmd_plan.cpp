#include <cstdio>
#include <memory>

#include "common/cli/print_json.hpp"
#include "common/terminal.hpp"
#include "trainer/cli/commands.hpp"
#include "trainer/cli/run_flags.hpp"
#include "trainer/run/plan_run.hpp"
#include "trainer/run/plan_text.hpp"

namespace trainer {

void add_plan(common::Program& program) {
  common::Verb& verb =
      program.add({"plan",
                   "Print what a run of these flags would take: memory, disk, steps and operations",
                   {"plan --variant full_safe --pack-root experiments/overfitting/data_pack",
                    "plan --variant full_safe --model-config full --base llava-1.5-13b-hf --dtype bfloat16"},
                   {{1, "the pack or the base is damaged or not the expected one"},
                    {3, k_io},
                    {4, k_unsigned},
                    {130, k_interrupted}}});
  const auto run_flags = std::make_shared<RunFlags>();
  add_run_flags(verb, *run_flags);
  verb.action([run_flags](const common::CommonFlags& flags) {
    RunConfig config = resolve(*run_flags);
    config.threads = flags.threads != 0 ? flags.threads : config.threads;
    config.verbosity = flags.verbosity();
    return on_device([&] {
      const PlannedRun planned = plan_run(config);
      if (flags.json) {
        common::Json json = to_json(planned.plan);
        json["refusals"] = planned.refusals;
        common::print_json(json, common::JsonLayout::line);
        return 0;
      }
      common::print_line(stdout, text_of(planned.plan, planned.inputs));
      for (const std::string& why : planned.refusals)
        common::print_line(stdout, "run would refuse this: " + why);
      return 0;
    });
  });
}

}  // namespace trainer
