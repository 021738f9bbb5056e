#include "trainer/run/plan_text.hpp"

#include <fmt/format.h>

namespace trainer {
namespace {

std::string flops_text(double flops) { return fmt::format("{:.3g} TFLOP", flops / 1e12); }

std::string base_text(const PlanInputs& inputs) {
  return fmt::format("{:.2f} B parameters in {}, audio encoder {:.2f} B in float32",
                     static_cast<double>(inputs.base_parameters) / 1e9, text_of(inputs.placement.dtype),
                     static_cast<double>(inputs.audio_parameters) / 1e9);
}

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
  return bytes < 1000000000 ? fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6)
                            : fmt::format("{:.2f} GB", static_cast<double>(bytes) / 1e9);
}

common::Json to_json(const Plan& plan) {
  return {{"micro_batch", plan.micro_batch},
          {"weights_bytes", plan.weights_bytes},
          {"adapter_bytes", plan.adapter_bytes},
          {"row_bytes", plan.row_bytes},
          {"pass_bytes", plan.pass_bytes},
          {"kept_keys_bytes", plan.kept_keys_bytes},
          {"evaluation_bytes", plan.evaluation_bytes},
          {"device_bytes", plan.device_bytes},
          {"rows_bytes", plan.rows_bytes},
          {"host_bytes", plan.host_bytes},
          {"disk_bytes", plan.disk_bytes},
          {"steps", plan.steps},
          {"encode_flops", plan.encode_flops},
          {"step_flops", plan.step_flops},
          {"evaluation_flops", plan.evaluation_flops}};
}

std::string text_of(const Plan& plan, const PlanInputs& inputs) {
  const bool on_gpu = inputs.placement.device.is_cuda();
  std::string text;
  const auto line = [&](const std::string& name, const std::string& value) {
    text += fmt::format("{:<34} {}\n", name, value);
  };
  line("device", fmt::format("{}, {} free", on_gpu ? "GPU" : "CPU", bytes_text(inputs.device_free)));
  line("base", base_text(inputs));
  line("weights", bytes_text(plan.weights_bytes));
  line("adapter, optimiser, mechanisms", bytes_text(plan.adapter_bytes));
  line("a row of a training pass", bytes_text(plan.row_bytes));
  line("a pass, beside its rows", bytes_text(plan.pass_bytes));
  line("keys and values of all images",
       plan.kept_keys_bytes > 0 ? bytes_text(plan.kept_keys_bytes) : "computed again in each step");
  line("rows at once",
       inputs.threads_rows > 0
           ? fmt::format("{} (a CPU's results do not depend on --micro-batch-size)", plan.micro_batch)
           : fmt::format("{}", plan.micro_batch));
  line("a batch of the evaluation", bytes_text(plan.evaluation_bytes));
  if (on_gpu) line("memory of the GPU, at most", bytes_text(plan.device_bytes));
  line("rows of the samples", bytes_text(plan.rows_bytes));
  line("memory of the host, at most", bytes_text(plan.host_bytes));
  line("disk, for features", bytes_text(plan.disk_bytes));
  line("steps", fmt::format("{}", plan.steps));
  line("operations: encoding", flops_text(plan.encode_flops));
  line("operations: a step", flops_text(plan.step_flops));
  line("operations: the evaluation", flops_text(plan.evaluation_flops));
  return text;
}

}  // namespace trainer
