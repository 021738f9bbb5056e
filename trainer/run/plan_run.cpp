#include "trainer/run/plan_run.hpp"

#include "trainer/run/sources.hpp"
#include "trainer/run/workplace.hpp"

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
  return planned;
}

}  // namespace trainer
