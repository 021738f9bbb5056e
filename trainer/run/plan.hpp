// What a run takes: memory, disk, steps and operations, from the shapes of its models and the lengths of its
// rows, before any weight is read. The run itself takes its micro-batch from here.
#pragma once

#include "trainer/run/plan_inputs.hpp"

namespace trainer {

struct Plan {
  std::int64_t micro_batch = 1;        // rows at once
  std::uint64_t weights_bytes = 0;     // frozen models
  std::uint64_t adapter_bytes = 0;     // with its moments, gradients and what the mechanisms remember
  std::uint64_t row_bytes = 0;         // of one row in a training pass: graph and keys of its prefix
  std::uint64_t pass_bytes = 0;        // beside the rows: what one layer and the vocabulary take for a moment
  std::uint64_t kept_keys_bytes = 0;   // keys and values of the prefixes, where they are kept; else 0
  std::uint64_t evaluation_bytes = 0;  // of one batch
  std::uint64_t device_bytes = 0;      // the largest of training and evaluation, with the weights
  std::uint64_t rows_bytes = 0;        // of the host, on either device: rows, and answers of the base
  std::uint64_t host_bytes = 0;        // all of the process: rows and program; on a CPU device_bytes too
  std::uint64_t disk_bytes = 0;        // features and states, for the length of the run; the cache alike
  std::int64_t steps = 0;
  double encode_flops = 0, step_flops = 0, evaluation_flops = 0;
};

// config's widths are those of the base already.
[[nodiscard]] Plan make_plan(const RunConfig& config, const PlanInputs& inputs);

enum class Work { training_and_judging, judging };
// Why the memory that is free does not do for it, even for the smallest pass, and what to change; empty where
// it does.
[[nodiscard]] std::string why_it_does_not_fit(const RunConfig& config, const Plan& plan,
                                              const PlanInputs& inputs, Work work);
// An io error that says so.
void require_fits(const RunConfig& config, const Plan& plan, const PlanInputs& inputs, Work work);

}  // namespace trainer
