#include "trainer/run/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.hpp"
#include "trainer/run/plan_text.hpp"
#include "trainer/run/run_costs.hpp"
#include "trainer/samples/streams.hpp"

namespace trainer {
namespace {

bool has_retention(const RunConfig& config) { return retention_needs(config).questions > 0; }

RowShape question_shape(const RunConfig& config, const PlanInputs& inputs) {
  if (config.fusion.positions == FusionPositions::all)
    return {inputs.head_positions + inputs.question_positions, 0};
  return {inputs.question_positions, inputs.head_positions};
}

std::int64_t layers_above(const RunConfig& config, const PlanInputs& inputs) {
  return inputs.decoder.layers - config.fusion.layers.front() - 1;
}

// Of the larger of a step's two batches.
std::int64_t rows_of_step(const RunConfig& config) {
  return std::max(config.train_batch_size, config.retention.batch_size) * config.gradient_accumulation;
}

void count_parts(const RunConfig& config, const PlanInputs& inputs, Plan& plan) {
  const DecoderConfig& c = inputs.decoder;
  const torch::Dtype dtype = inputs.placement.dtype;
  const RowShape question = question_shape(config, inputs);
  plan.weights_bytes = inputs.base_parameters * bytes_of(dtype) + inputs.audio_parameters * k_float32_bytes;
  plan.adapter_bytes = adapter_bytes(config);
  plan.row_bytes = row_bytes(config, c, dtype, {inputs.clip_positions, 0});
  if (has_retention(config)) plan.row_bytes = std::max(plan.row_bytes, row_bytes(config, c, dtype, question));
  plan.pass_bytes = moment_bytes(c, question.prefix, question.prefix, dtype) +
                    keys_bytes(c, c.layers, question.prefix, dtype);
  const std::uint64_t keys = static_cast<std::uint64_t>(inputs.retention_images) *
                             keys_bytes(c, layers_above(config, inputs), question.prefix, dtype);
  // As encode_questions decides, of what the weights leave.
  const std::uint64_t left = inputs.device_free - std::min(inputs.device_free, plan.weights_bytes);
  if (has_retention(config) && keys <= left / 4) plan.kept_keys_bytes = keys;
}

std::int64_t micro_batch_of(const RunConfig& config, const PlanInputs& inputs, const Plan& plan) {
  if (inputs.threads_rows > 0) return inputs.threads_rows;
  if (config.micro_batch > 0) return config.micro_batch;
  // A tenth stays free for what the allocator cannot use.
  const std::uint64_t usable = inputs.device_free / 10 * 9;
  const std::uint64_t taken =
      plan.weights_bytes + plan.adapter_bytes + plan.pass_bytes + plan.kept_keys_bytes;
  const std::uint64_t rows =
      usable > taken ? (usable - taken) / std::max<std::uint64_t>(plan.row_bytes, 1) : 0;
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(rows), 1, rows_of_step(config));
}

// As speak.cpp takes rows.
std::uint64_t evaluation_bytes_of(const RunConfig& config, const PlanInputs& inputs, const Plan& plan) {
  const DecoderConfig& c = inputs.decoder;
  const torch::Dtype dtype = inputs.placement.dtype;
  const RowShape question = question_shape(config, inputs);
  const std::uint64_t answers = keys_bytes(c, c.layers, inputs.head_positions + 128, dtype);
  auto rows = static_cast<std::uint64_t>(config.evaluation.batch_size);
  const std::uint64_t held = plan.weights_bytes + plan.adapter_bytes + plan.kept_keys_bytes;
  if (inputs.threads_rows == 0 && inputs.device_free > 0)
    rows = std::clamp<std::uint64_t>((inputs.device_free - std::min(inputs.device_free, held)) / 2 / answers,
                                     1, rows);
  return rows * (answers + moment_bytes(c, question.own, question.own + question.prefix, dtype));
}

void count_memory(const RunConfig& config, const PlanInputs& inputs, Plan& plan) {
  const DecoderConfig& c = inputs.decoder;
  const std::uint64_t size = bytes_of(inputs.placement.dtype);
  const auto at_once = static_cast<std::uint64_t>(inputs.passes_at_once);
  const std::uint64_t training =
      static_cast<std::uint64_t>(std::min(plan.micro_batch, rows_of_step(config))) * plan.row_bytes;
  plan.device_bytes = plan.weights_bytes + plan.adapter_bytes + plan.pass_bytes + plan.kept_keys_bytes +
                      at_once * std::max(training, plan.evaluation_bytes);
  plan.rows_bytes =
      static_cast<std::uint64_t>(inputs.caption_rows + inputs.held_out) *
          product_of({inputs.clip_positions, c.hidden}) * size +
      static_cast<std::uint64_t>(inputs.questions + inputs.questions_beyond + inputs.retention_questions) *
          (product_of({inputs.question_positions, c.hidden}) * size +
           product_of({4, c.vocabulary}) * k_float32_bytes);
  plan.host_bytes = plan.rows_bytes + inputs.program_bytes + inputs.largest_tensor_bytes;
  if (!inputs.placement.device.is_cuda()) plan.host_bytes += plan.device_bytes;
  const std::uint64_t head = product_of({inputs.head_positions, c.hidden}) * size;
  const bool keeps_states = plan.kept_keys_bytes == 0;
  plan.disk_bytes =
      static_cast<std::uint64_t>(inputs.question_images + (keeps_states ? inputs.retention_images : 0)) *
      head;
  if (!config.feature_cache.empty())
    plan.disk_bytes += static_cast<std::uint64_t>(inputs.question_images + inputs.retention_images) * head;
}

void count_flops(const RunConfig& config, const PlanInputs& inputs, Plan& plan) {
  const DecoderConfig& c = inputs.decoder;
  const RowShape question = question_shape(config, inputs);
  const std::int64_t above = layers_above(config, inputs);
  const std::int64_t images = inputs.question_images + (has_retention(config) ? inputs.retention_images : 0);
  plan.encode_flops =
      static_cast<double>(images) * forward_flops(c, c.layers, question.prefix) +
      static_cast<double>(inputs.questions + inputs.questions_beyond + inputs.retention_questions) *
          forward_flops(c, c.layers, question.own) +
      static_cast<double>(inputs.caption_rows + inputs.held_out) *
          forward_flops(c, config.fusion.layers.front() + 1, inputs.clip_positions);
  const double clips = static_cast<double>(config.train_batch_size * config.gradient_accumulation);
  const double one_question = 2 * forward_flops(c, above, question.own) +
                              (plan.kept_keys_bytes > 0 ? 0 : forward_flops(c, above, question.prefix));
  plan.step_flops = clips * 2 * forward_flops(c, above, inputs.clip_positions);
  plan.step_flops += retention_needs(config).questions_a_step * one_question;
  const bool sweeps = config.evaluation.gate_comparison == GateComparison::sweep;
  const double voices = config.evaluation.audio_gate == AudioGate::off ? 2 : sweeps ? 9 : 5;
  const auto asked = [&](std::int64_t questions, double by) {
    return static_cast<double>(questions) *
           (forward_flops(c, c.layers, question.prefix) +
            by * forward_flops(c, c.layers, 2 * question.own + config.evaluation.answer_tokens));
  };
  const auto captioned = [&](std::int64_t count, double by) {
    return static_cast<double>(count) * by *
           forward_flops(c, c.layers, 2 * inputs.clip_positions + config.evaluation.caption_tokens);
  };
  const EvaluationConfig& judged = config.evaluation;
  const std::int64_t questions = judged.questions_of(inputs.questions);
  plan.evaluation_flops = asked(questions, voices) +
                          captioned(judged.clips_of(inputs.clips) + judged.clips_of(inputs.held_out), 3);
  if (inputs.questions_beyond > 0) {
    const std::int64_t unlike = inputs.questions_beyond - 2 * inputs.questions;
    plan.evaluation_flops += asked(2 * questions + judged.questions_of(unlike),
                                   std::min(voices, 1.0 + k_beyond_conditions.size()));
  }
  if (!config.curve.is_on() || plan.steps == 0) return;
  const double looks = static_cast<double>((plan.steps - 1) / config.curve.every);
  plan.evaluation_flops +=
      looks * (asked(std::min(questions, config.curve.items), 2) +
               captioned(std::min(judged.clips_of(inputs.clips), config.curve.items), 2));
}

}  // namespace

Plan make_plan(const RunConfig& config, const PlanInputs& inputs) {
  Plan plan;
  count_parts(config, inputs, plan);
  plan.micro_batch = micro_batch_of(config, inputs, plan);
  plan.evaluation_bytes = evaluation_bytes_of(config, inputs, plan);
  count_memory(config, inputs, plan);
  if (inputs.caption_rows > 0)
    plan.steps = config.epochs * EpochStream(config.seed, "audio", inputs.caption_rows,
                                             config.train_batch_size * config.gradient_accumulation)
                                     .steps_per_epoch();
  count_flops(config, inputs, plan);
  return plan;
}

std::string why_it_does_not_fit(const RunConfig& config, const Plan& plan, const PlanInputs& inputs,
                                Work work) {
  const bool on_gpu = inputs.placement.device.is_cuda(), trains = work == Work::training_and_judging;
  const std::uint64_t held = plan.weights_bytes + (trains ? plan.adapter_bytes : 0),
                      training = trains ? plan.pass_bytes + plan.row_bytes : 0,
                      least =
                          held + std::max(training, plan.evaluation_bytes) + (on_gpu ? 0 : plan.rows_bytes);
  if (inputs.device_free == 0 || least <= inputs.device_free) return "";
  std::string remedies;
  if (plan.evaluation_bytes > training && config.evaluation.batch_size > 1 && !on_gpu)
    remedies += fmt::format("a --val-batch-size below {}, ", config.evaluation.batch_size);
  const bool mechanisms_are_most = trains && plan.adapter_bytes > plan.weights_bytes;
  if (mechanisms_are_most &&
      config.retention.of<NullSpaceOptions>().placement == NullSpacePlacement::gradient)
    remedies += "--null-space gate, ";
  if (inputs.placement.dtype == torch::kFloat32) remedies += "--dtype bfloat16, ";
  return fmt::format(
      "this takes {} of memory at least, {} of it weights in {}{}{}, and {} are free on the {}; use {}a "
      "smaller base or a machine with more",
      bytes_text(least), bytes_text(plan.weights_bytes), text_of(inputs.placement.dtype),
      mechanisms_are_most ? fmt::format(" and {} what the adapter's training and mechanisms keep",
                                        bytes_text(plan.adapter_bytes))
                          : "",
      plan.evaluation_bytes > training
          ? fmt::format(" and {} the batch in which it is judged", bytes_text(plan.evaluation_bytes))
          : "",
      bytes_text(inputs.device_free), on_gpu ? "GPU" : "CPU", remedies);
}

void require_fits(const RunConfig& config, const Plan& plan, const PlanInputs& inputs, Work work) {
  const std::string why = why_it_does_not_fit(config, plan, inputs, work);
  if (!why.empty()) throw common::Error(common::ErrorKind::io, why);
}

}  // namespace trainer
