// What a run takes: memory, disk, steps and operations, from the shapes of its models and the lengths of its
// rows, before any weight is read. The run itself takes its micro-batch from here.
#pragma once

#include <cstdint>
#include <string>

#include "common/json.hpp"
#include "trainer/formats/llava_config.hpp"
#include "trainer/samples/samples.hpp"
#include "trainer/train/config.hpp"
#include "trainer/train/experiment.hpp"

namespace trainer {

// What the numbers are computed from.
struct PlanInputs {
  DecoderConfig decoder;
  std::uint64_t base_parameters = 0, audio_parameters = 0;
  Placement placement;
  std::int64_t threads_rows = 0;        // that the CPU computes at once; 0: a GPU, whose memory decides
  std::int64_t head_positions = 0;      // F, up to the end of the image
  std::int64_t question_positions = 0;  // behind it, answer included: the longest
  std::int64_t clip_positions = 0;      // of a caption's row: the longest
  std::int64_t clips = 0, held_out = 0, caption_rows = 0;
  std::int64_t retention_questions = 0, retention_images = 0, questions = 0, question_images = 0;
  std::uint64_t device_free = 0, host_free = 0;
};

struct Plan {
  std::int64_t micro_batch = 1;        // rows at once
  std::uint64_t weights_bytes = 0;     // frozen models
  std::uint64_t adapter_bytes = 0;     // with its moments, gradients and what the mechanisms remember
  std::uint64_t row_bytes = 0;         // of one row in a training pass: graph and keys of its prefix
  std::uint64_t pass_bytes = 0;        // beside the rows: what one layer and the vocabulary take for a moment
  std::uint64_t kept_keys_bytes = 0;   // keys and values of the prefixes, where they are kept; else 0
  std::uint64_t evaluation_bytes = 0;  // of one batch
  std::uint64_t device_bytes = 0;      // the largest of training and evaluation, with the weights
  std::uint64_t host_bytes = 0;        // beside the device: rows, and answers of the base
  std::uint64_t disk_bytes = 0;        // features and states, for the length of the run; the cache alike
  std::int64_t steps = 0;
  double encode_flops = 0, step_flops = 0, evaluation_flops = 0;
};

// config's widths are those of the base already.
[[nodiscard]] Plan make_plan(const RunConfig& config, const PlanInputs& inputs);
[[nodiscard]] common::Json to_json(const Plan& plan);
[[nodiscard]] std::string text_of(const Plan& plan, const PlanInputs& inputs);

// From the models' headers and the pack's texts. Also fills in the widths that `config` takes from the base.
[[nodiscard]] PlanInputs plan_inputs(RunConfig& config, const Selection& selection);

// An io error where the weights alone, or the smallest pass, do not fit into what is free.
void require_fits(const Plan& plan, const PlanInputs& inputs);

// `safe-trainer plan`: opens the pack as a run would, and computes nothing.
struct PlannedRun {
  PlanInputs inputs;
  Plan plan;
};
[[nodiscard]] PlannedRun plan_run(RunConfig config);

}  // namespace trainer
