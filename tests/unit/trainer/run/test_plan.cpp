#include "trainer/run/plan.hpp"

#include "common/error.hpp"

#include <doctest/doctest.h>

using namespace trainer;

namespace {

constexpr std::uint64_t k_gb = 1'000'000'000;

RunConfig config_of(std::int64_t width, std::int64_t heads) {
  RunConfig config;
  config.variant = "full_safe";
  config.model_config = "full";
  apply_model_config(config);
  config.fusion.heads = heads;
  config.fusion.width = config.projector.width = width;
  config.projector.audio_width = 512;
  config.retention = preset_of("full_safe");
  return config;
}

// LLaVA-1.5-13B on a GPU, with the pack of the ablation.
PlanInputs thirteen_b(std::uint64_t free) {
  PlanInputs inputs;
  inputs.decoder.hidden = 5120;
  inputs.decoder.intermediate = 13824;
  inputs.decoder.layers = inputs.decoder.heads = inputs.decoder.kv_heads = 40;
  inputs.decoder.vocabulary = 32064;
  inputs.base_parameters = 13'350'000'000;
  inputs.audio_parameters = 150'000'000;
  inputs.placement = {torch::kBFloat16, torch::Device(torch::kCUDA, 0)};
  inputs.head_positions = 578;
  inputs.question_positions = 45;
  inputs.clip_positions = 60;
  inputs.clips = inputs.caption_rows = 400;
  inputs.held_out = 100;
  inputs.questions = inputs.question_images = 500;
  inputs.retention_questions = inputs.retention_images = 600;
  inputs.device_free = free;
  return inputs;
}

PlanInputs seven_b(std::uint64_t free) {
  PlanInputs inputs = thirteen_b(free);
  inputs.decoder.hidden = 4096;
  inputs.decoder.intermediate = 11008;
  inputs.decoder.layers = inputs.decoder.heads = inputs.decoder.kv_heads = 32;
  inputs.base_parameters = 7'060'000'000;
  return inputs;
}

}  // namespace

TEST_CASE("13B trains in 40 GB and 7B in 24 GB, and the plan never takes more than there is") {
  const Plan large = make_plan(config_of(5120, 40), thirteen_b(40 * k_gb));
  CHECK(large.device_bytes <= 40 * k_gb);
  CHECK(large.weights_bytes > 26 * k_gb);
  CHECK(large.micro_batch >= 1);
  const Plan small = make_plan(config_of(4096, 32), seven_b(24 * k_gb));
  CHECK(small.device_bytes <= 24 * k_gb);
  CHECK(small.micro_batch >= 1);
  CHECK_NOTHROW(require_fits(config_of(5120, 40), large, thirteen_b(40 * k_gb), Work::training_and_judging));
}

TEST_CASE("more memory gives a larger micro-batch, up to the batch, and less is refused in one sentence") {
  const RunConfig config = config_of(5120, 40);
  std::int64_t before = 0;
  for (const std::uint64_t free : {36, 40, 48, 64, 140}) {
    const Plan plan = make_plan(config, thirteen_b(free * k_gb));
    CHECK(plan.micro_batch >= before);
    before = plan.micro_batch;
  }
  CHECK(before == std::max(config.train_batch_size, config.retention.batch_size));
  const PlanInputs little = thirteen_b(24 * k_gb);
  CHECK_THROWS_WITH_AS(require_fits(config, make_plan(config, little), little, Work::training_and_judging),
                       doctest::Contains("24.00 GB are free on the GPU"), common::Error);
}

TEST_CASE("what does not fit is named by what takes most, with what to change") {
  RunConfig config = config_of(4096, 32);
  PlanInputs inputs = seven_b(26 * k_gb);
  inputs.placement.device = torch::kCPU;
  inputs.threads_rows = 1;
  const auto why = [&](Work work) {
    return why_it_does_not_fit(config, make_plan(config, inputs), inputs, work);
  };
  config.evaluation.batch_size = 1;
  REQUIRE(why(Work::training_and_judging) == "");
  // A batch of the evaluation alone is too large, for either work.
  config.evaluation.batch_size = 64;
  for (const Work work : {Work::training_and_judging, Work::judging})
    CHECK(why(work).find("use a --val-batch-size below 64, a smaller base") != std::string::npos);
  config.evaluation.batch_size = 1;
  config.retention.of<NullSpaceOptions>().placement = NullSpacePlacement::gradient;
  CHECK(why(Work::training_and_judging).find("what the adapter's training and mechanisms keep") !=
        std::string::npos);
  CHECK(why(Work::training_and_judging).find("use --null-space gate") != std::string::npos);
  CHECK(why(Work::judging) == "");  // which keeps nothing of it
}

TEST_CASE("what is asked for counts: a micro-batch, an accumulation, a type, every position") {
  RunConfig config = config_of(5120, 40);
  config.micro_batch = 3;
  CHECK(make_plan(config, thirteen_b(140 * k_gb)).micro_batch == 3);
  PlanInputs wide = thirteen_b(140 * k_gb);
  wide.placement.dtype = torch::kFloat32;
  const Plan narrow = make_plan(config, thirteen_b(140 * k_gb));
  CHECK(make_plan(config, wide).weights_bytes > narrow.weights_bytes * 19 / 10);
  config.gradient_accumulation = 4;
  const Plan accumulated = make_plan(config, thirteen_b(140 * k_gb));
  CHECK(accumulated.steps < narrow.steps);
  CHECK(accumulated.step_flops > 3 * narrow.step_flops);
  config.fusion.positions = FusionPositions::all;
  CHECK(make_plan(config, thirteen_b(140 * k_gb)).row_bytes > narrow.row_bytes);
}

TEST_CASE("keys that fit into a quarter of what is left are kept, and a step is cheaper then") {
  RunConfig config = config_of(4096, 32);
  PlanInputs few = seven_b(140 * k_gb);
  few.retention_images = 20;
  const Plan kept = make_plan(config, few), computed = make_plan(config, seven_b(140 * k_gb));
  CHECK(kept.kept_keys_bytes > 0);
  CHECK(computed.kept_keys_bytes == 0);
  CHECK(kept.step_flops < computed.step_flops / 2);
}
