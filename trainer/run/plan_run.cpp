#include "trainer/run/plan_run.hpp"

#include "common/error.hpp"
#include "trainer/run/sources.hpp"
#include "trainer/run/workplace.hpp"
#include "trainer/train/preconditions.hpp"

namespace trainer {

PlannedRun plan_run(RunConfig config) {
  require_source(config);
  find_models(config);
  Workplace work(config.output_root);
  const packer::VerifiedPack pack = open_source(config, work);
  const Selection selection = select_samples(read_samples(pack), config);
  PlannedRun planned;
  planned.inputs = plan_inputs(config, selection);
  planned.plan = make_plan(config, planned.inputs);
  if (const std::string why =
          why_it_does_not_fit(config, planned.plan, planned.inputs, Work::training_and_judging);
      !why.empty())
    planned.refusals.push_back(why);
  try {
    require_mechanisms_can_act(config, selection);
  } catch (const common::Error& error) {
    planned.refusals.emplace_back(error.what());
  }
  return planned;
}

}  // namespace trainer
