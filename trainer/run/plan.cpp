#include "trainer/run/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/error.hpp"
#include "trainer/formats/clap_config.hpp"
#include "trainer/formats/model_folder.hpp"
#include "trainer/formats/model_form.hpp"
#include "trainer/model/llava.hpp"
#include "trainer/model/memory.hpp"
#include "trainer/model/prompt.hpp"
#include "trainer/model/safetensors.hpp"
#include "trainer/run/sources.hpp"
#include "trainer/run/workplace.hpp"
#include "trainer/samples/streams.hpp"

namespace trainer {
namespace {

constexpr std::uint64_t k_wide_bytes = 4;  // of an fp32 number

std::uint64_t size_of(torch::Dtype dtype) { return dtype == torch::kBFloat16 ? 2 : 4; }

std::uint64_t product_of(std::initializer_list<std::int64_t> sides) {
  std::uint64_t product = 1;
  for (const std::int64_t side : sides) product *= static_cast<std::uint64_t>(side);
  return product;
}

// ---- parameters ----------------------------------------------------------------------------------------

std::uint64_t layer_parameters(const DecoderConfig& c) {
  return product_of({c.hidden, (2 * c.heads + 2 * c.kv_heads) * c.head_width}) +
         3 * product_of({c.hidden, c.intermediate});
}

struct AdapterParameters {
  std::uint64_t trained = 0, frozen = 0;
};

AdapterParameters adapter_parameters(const RunConfig& config) {
  const std::int64_t width = config.fusion.width, rank = config.fusion.rank;
  const auto blocks = static_cast<std::uint64_t>(config.fusion.layers.size());
  const std::uint64_t square = product_of({width, width});
  AdapterParameters count;
  count.trained = product_of({config.projector.bottleneck, config.projector.audio_width}) +
                  product_of({config.projector.tokens * width, config.projector.bottleneck}) +
                  blocks * square;  // the gates
  count.trained += blocks * (rank == 0 ? 4 * square : 4 * 2 * product_of({rank, width}));
  if (rank > 0) count.frozen = blocks * 3 * square;
  return count;
}

// What the mechanisms that are on take together.
MechanismNeeds retention_needs(const RunConfig& config) {
  MechanismNeeds sum{.questions = 0};
  for (const MechanismEntry& mechanism :
       mechanisms_on(config.retention, config.retention.batch_size * config.gradient_accumulation)) {
    sum.questions = std::max(sum.questions, mechanism.needs.questions);
    sum.questions_a_step += mechanism.needs.questions_a_step;
    sum.adapter_copies += mechanism.needs.adapter_copies;
    sum.layer_squares += mechanism.needs.layer_squares;
  }
  return sum;
}

// Copies of the trained numbers: themselves, two moments, the sum of gradients and those of a pass, and those
// of the mechanisms.
std::uint64_t adapter_bytes(const RunConfig& config) {
  const AdapterParameters count = adapter_parameters(config);
  const MechanismNeeds needs = retention_needs(config);
  const std::uint64_t copies = 5 + static_cast<std::uint64_t>(needs.adapter_copies);
  return (count.trained * copies + count.frozen) * k_wide_bytes +
         config.fusion.layers.size() * 8 *
             product_of({needs.layer_squares, config.fusion.width, config.fusion.width});
}

// ---- memory of a pass ----------------------------------------------------------------------------------

// What the gradient of the layers above the first fused one keeps of a row (decoder.hpp, LayerTrace).
std::uint64_t trace_bytes(const DecoderConfig& c, std::int64_t layers, std::int64_t own, std::int64_t prefix,
                          std::uint64_t size) {
  const std::int64_t numbers = 2 * c.hidden + (c.heads + 2 * c.kv_heads) * c.head_width + 2 * c.intermediate;
  return product_of({layers, own}) * static_cast<std::uint64_t>(numbers) * size +
         product_of({layers, c.heads, own, prefix + own}) * k_wide_bytes;
}

std::uint64_t keys_bytes(const DecoderConfig& c, std::int64_t layers, std::int64_t positions,
                         std::uint64_t size) {
  return product_of({2, layers, c.kv_heads, positions, c.head_width}) * size;
}

// What one layer takes for a moment, for `positions` that attend to `keys`.
std::uint64_t moment_bytes(const DecoderConfig& c, std::int64_t positions, std::int64_t keys,
                           std::uint64_t size) {
  return product_of({positions, 6 * c.hidden + 4 * c.intermediate}) * size +
         product_of({3, c.heads, positions, keys}) * k_wide_bytes;
}

// Logits, their softmax, the teacher's and the gradient of each.
std::uint64_t vocabulary_bytes(const DecoderConfig& c, std::int64_t positions) {
  return product_of({8, positions, c.vocabulary}) * k_wide_bytes;
}

struct RowShape {
  std::int64_t own = 0, prefix = 0;
};

RowShape question_shape(const RunConfig& config, const PlanInputs& inputs) {
  if (config.fusion.positions == FusionPositions::all)
    return {inputs.head_positions + inputs.question_positions, 0};
  return {inputs.question_positions, inputs.head_positions};
}

std::uint64_t row_bytes(const RunConfig& config, const PlanInputs& inputs, const RowShape& shape) {
  const DecoderConfig& c = inputs.decoder;
  const std::uint64_t size = size_of(inputs.placement.dtype);
  const std::int64_t above = c.layers - config.fusion.layers.front() - 1;
  constexpr std::int64_t k_answer_positions = 8;
  const std::uint64_t graph =
      config.fusion.positions == FusionPositions::all
          ? product_of({above, shape.own, c.hidden}) * size + trace_bytes(c, 1, shape.own, 0, size)
          : trace_bytes(c, above, shape.own, shape.prefix, size);
  return graph + keys_bytes(c, above, shape.prefix, size) + vocabulary_bytes(c, k_answer_positions) +
         moment_bytes(c, shape.own, shape.own + shape.prefix, size) +
         config.fusion.layers.size() * product_of({14, shape.own, c.hidden}) * k_wide_bytes;
}

// ---- operations ----------------------------------------------------------------------------------------

double forward_flops(const DecoderConfig& c, std::int64_t layers, std::int64_t positions) {
  return 2.0 * static_cast<double>(layer_parameters(c)) * static_cast<double>(layers) *
         static_cast<double>(positions);
}

bool has_retention(const RunConfig& config) { return retention_needs(config).questions > 0; }

void count_flops(const RunConfig& config, const PlanInputs& inputs, bool keys_are_kept, Plan& plan) {
  const DecoderConfig& c = inputs.decoder;
  const RowShape question = question_shape(config, inputs);
  const std::int64_t above = c.layers - config.fusion.layers.front() - 1;
  const std::int64_t images = inputs.question_images + (has_retention(config) ? inputs.retention_images : 0);
  plan.encode_flops = static_cast<double>(images) * forward_flops(c, c.layers, question.prefix) +
                      static_cast<double>(inputs.questions + inputs.retention_questions) *
                          forward_flops(c, c.layers, question.own) +
                      static_cast<double>(inputs.caption_rows + inputs.held_out) *
                          forward_flops(c, config.fusion.layers.front() + 1, inputs.clip_positions);
  const double clips = static_cast<double>(config.train_batch_size * config.gradient_accumulation);
  const double one_question = 2 * forward_flops(c, above, question.own) +
                              (keys_are_kept ? 0 : forward_flops(c, above, question.prefix));
  plan.step_flops = clips * 2 * forward_flops(c, above, inputs.clip_positions);
  plan.step_flops += retention_needs(config).questions_a_step * one_question;
  const bool sweeps = config.evaluation.gate_comparison == GateComparison::sweep;
  const double voices = config.evaluation.audio_gate == AudioGate::off ? 2 : sweeps ? 9 : 5;
  plan.evaluation_flops =
      static_cast<double>(inputs.questions) *
          (forward_flops(c, c.layers, question.prefix) +
           voices * forward_flops(c, c.layers, 2 * question.own + config.evaluation.answer_tokens)) +
      static_cast<double>(inputs.clips + inputs.held_out) * 3 *
          forward_flops(c, c.layers, 2 * inputs.clip_positions + config.evaluation.caption_tokens);
}

std::string bytes_text(std::uint64_t bytes) {
  return bytes < 1000000000 ? fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6)
                            : fmt::format("{:.2f} GB", static_cast<double>(bytes) / 1e9);
}

std::string flops_text(double flops) { return fmt::format("{:.3g} TFLOP", flops / 1e12); }

}  // namespace

Plan make_plan(const RunConfig& config, const PlanInputs& inputs) {
  const DecoderConfig& c = inputs.decoder;
  const std::uint64_t size = size_of(inputs.placement.dtype);
  const RowShape question = question_shape(config, inputs), clip{inputs.clip_positions, 0};
  const std::int64_t above = c.layers - config.fusion.layers.front() - 1;
  Plan plan;
  plan.weights_bytes = inputs.base_parameters * size + inputs.audio_parameters * k_wide_bytes;
  plan.adapter_bytes = adapter_bytes(config);
  plan.row_bytes = row_bytes(config, inputs, clip);
  if (has_retention(config)) plan.row_bytes = std::max(plan.row_bytes, row_bytes(config, inputs, question));
  plan.pass_bytes = moment_bytes(c, question.prefix, question.prefix, size) +
                    keys_bytes(c, c.layers, question.prefix, size);
  const std::uint64_t fixed = plan.weights_bytes + plan.adapter_bytes + plan.pass_bytes;
  const std::uint64_t keys =
      static_cast<std::uint64_t>(inputs.retention_images) * keys_bytes(c, above, question.prefix, size);
  // As encode_questions decides, of what the weights leave.
  const std::uint64_t left = inputs.device_free - std::min(inputs.device_free, plan.weights_bytes);
  const bool keys_are_kept = has_retention(config) && keys <= left / 4;
  if (keys_are_kept) plan.kept_keys_bytes = keys;
  const std::int64_t most =
      std::max(config.train_batch_size, config.retention.batch_size) * config.gradient_accumulation;
  if (inputs.threads_rows > 0) {
    plan.micro_batch = inputs.threads_rows;
  } else if (config.micro_batch > 0) {
    plan.micro_batch = config.micro_batch;
  } else {
    // A tenth stays free for what the allocator cannot use.
    const std::uint64_t usable = inputs.device_free / 10 * 9;
    const std::uint64_t taken = fixed + plan.kept_keys_bytes;
    const std::uint64_t rows =
        usable > taken ? (usable - taken) / std::max<std::uint64_t>(plan.row_bytes, 1) : 0;
    plan.micro_batch = std::clamp<std::int64_t>(static_cast<std::int64_t>(rows), 1, most);
  }
  const std::int64_t batch = config.evaluation.batch_size;
  const std::uint64_t answers = keys_bytes(c, c.layers, inputs.head_positions + 128, size);  // speak.cpp
  std::uint64_t evaluated = static_cast<std::uint64_t>(batch);
  const std::uint64_t held = plan.weights_bytes + plan.adapter_bytes + plan.kept_keys_bytes;
  if (inputs.threads_rows == 0 && inputs.device_free > 0)
    evaluated = std::clamp<std::uint64_t>(
        (inputs.device_free - std::min(inputs.device_free, held)) / 2 / answers, 1, evaluated);
  plan.evaluation_bytes =
      evaluated * (answers + moment_bytes(c, question.own, question.own + question.prefix, size));
  const std::uint64_t training =
      static_cast<std::uint64_t>(std::min(plan.micro_batch, most)) * plan.row_bytes;
  plan.device_bytes = fixed + plan.kept_keys_bytes + std::max(training, plan.evaluation_bytes);
  plan.host_bytes = static_cast<std::uint64_t>(inputs.caption_rows + inputs.held_out) *
                        product_of({inputs.clip_positions, c.hidden}) * size +
                    static_cast<std::uint64_t>(inputs.questions + inputs.retention_questions) *
                        (product_of({inputs.question_positions, c.hidden}) * size +
                         product_of({4, c.vocabulary}) * k_wide_bytes);
  plan.disk_bytes =
      static_cast<std::uint64_t>(inputs.question_images + (keys_are_kept ? 0 : inputs.retention_images)) *
          product_of({inputs.head_positions, c.hidden}) * size +
      (config.feature_cache.empty()
           ? 0
           : static_cast<std::uint64_t>(inputs.question_images + inputs.retention_images) *
                 product_of({inputs.head_positions, c.hidden}) * size);
  if (inputs.caption_rows > 0)
    plan.steps = config.epochs * EpochStream(config.seed, "audio", inputs.caption_rows,
                                             config.train_batch_size * config.gradient_accumulation)
                                     .steps_per_epoch();
  count_flops(config, inputs, keys_are_kept, plan);
  return plan;
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
          {"host_bytes", plan.host_bytes},
          {"disk_bytes", plan.disk_bytes},
          {"steps", plan.steps},
          {"encode_flops", plan.encode_flops},
          {"step_flops", plan.step_flops},
          {"evaluation_flops", plan.evaluation_flops}};
}

std::string text_of(const Plan& plan, const PlanInputs& inputs) {
  const std::string device = inputs.placement.device.is_cuda() ? "GPU" : "CPU";
  std::string text;
  const auto line = [&](const std::string& name, const std::string& value) {
    text += fmt::format("{:<34} {}\n", name, value);
  };
  line("device", fmt::format("{}, {} free", device, bytes_text(inputs.device_free)));
  line("base", fmt::format("{:.2f} B parameters in {}, audio encoder {:.2f} B in float32",
                           static_cast<double>(inputs.base_parameters) / 1e9, text_of(inputs.placement.dtype),
                           static_cast<double>(inputs.audio_parameters) / 1e9));
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
  line("memory of the device, at most", bytes_text(plan.device_bytes));
  line("memory of the host, for rows", bytes_text(plan.host_bytes));
  line("disk, for features", bytes_text(plan.disk_bytes));
  line("steps", fmt::format("{}", plan.steps));
  line("operations: encoding", flops_text(plan.encode_flops));
  line("operations: a step", flops_text(plan.step_flops));
  line("operations: the evaluation", flops_text(plan.evaluation_flops));
  return text;
}

namespace {

std::uint64_t count_parameters(const SafetensorsFolder& weights, const CanonicalName& canonical) {
  std::uint64_t count = 0;
  for (const std::string& name : weights.names()) {
    if (canonical(name).empty()) continue;
    std::uint64_t one = 1;
    for (const std::int64_t side : weights.entry(name).shape) one *= static_cast<std::uint64_t>(side);
    count += one;
  }
  return count;
}

struct Lengths {
  const Tokenizer& tokenizer;
  [[nodiscard]] std::int64_t of(const std::string& text) const {
    return static_cast<std::int64_t>(tokenizer.encode(text).size());
  }
};

}  // namespace

PlanInputs plan_inputs(RunConfig& config, const Selection& selection) {
  PlanInputs inputs;
  inputs.placement = placement_for(config.device, config.dtype);
  const ModelFolder base(config.base), audio(config.audio_encoder);
  const LlavaConfig llava = parse_llava_config(read_model_config(base), base.path_of("config.json").string());
  const ClapConfig clap = parse_clap_config(read_model_config(audio), audio.path_of("config.json").string());
  inputs.decoder = llava.text;
  config.fusion.width = config.projector.width = llava.text.hidden;
  config.projector.audio_width = clap.projection;
  inputs.base_parameters = count_parameters(SafetensorsFolder(base), canonical_llava_name);
  inputs.audio_parameters =
      count_parameters(SafetensorsFolder(audio), [](const std::string& name) { return name; });
  const Compute compute(config.threads, config.fusion.width, inputs.placement);
  inputs.threads_rows = inputs.placement.device.is_cuda() ? 0 : compute.rows_at_once(1);

  const Tokenizer tokenizer = Tokenizer::load(base);
  const Lengths length{tokenizer};
  // The prompts as prompt.hpp has them; a token more or less where words meet changes no plan.
  inputs.head_positions = llava.image_positions() + length.of("USER: ");
  const std::int64_t frame = length.of("\nAnswer in one word or a number. Question:  ASSISTANT:");
  std::set<common::PackPath> question_images, retention_images;
  const auto take = [&](const std::vector<QuestionSample>& questions, std::set<common::PackPath>& images) {
    for (const QuestionSample& question : questions) {
      images.insert(question.image);
      inputs.question_positions =
          std::max(inputs.question_positions,
                   frame + length.of(question.question) + length.of(question.majority_answer));
    }
    return static_cast<std::int64_t>(questions.size());
  };
  inputs.questions = take(selection.validation, question_images);
  inputs.retention_questions = take(selection.retention, retention_images);
  inputs.question_images = static_cast<std::int64_t>(question_images.size());
  inputs.retention_images = static_cast<std::int64_t>(retention_images.size());
  for (const auto* clips : {&selection.train, &selection.held_out})
    for (const ClipSample& clip : *clips)
      for (const std::string& caption : clip.captions)
        inputs.clip_positions =
            std::max(inputs.clip_positions,
                     length.of(fmt::format("USER: Question: {} ASSISTANT: {}", clip.question, caption)) + 2);
  inputs.clips = static_cast<std::int64_t>(selection.memorised.size());
  inputs.held_out = static_cast<std::int64_t>(selection.held_out.size());
  inputs.caption_rows = count_train_rows(selection);
  inputs.device_free = free_bytes(inputs.placement.device);
  inputs.host_free = free_bytes(torch::kCPU);
  return inputs;
}

void require_fits(const Plan& plan, const PlanInputs& inputs) {
  const std::uint64_t least = plan.weights_bytes + plan.adapter_bytes + plan.pass_bytes + plan.row_bytes;
  if (inputs.device_free == 0 || least <= inputs.device_free) return;
  throw common::Error(
      common::ErrorKind::io,
      fmt::format("this run takes {} of memory at least ({} of it weights in {}), and {} are free on the {}; "
                  "use {}a smaller base or a machine with more",
                  bytes_text(least), bytes_text(plan.weights_bytes), text_of(inputs.placement.dtype),
                  bytes_text(inputs.device_free), inputs.placement.device.is_cuda() ? "GPU" : "CPU",
                  inputs.placement.dtype == torch::kFloat32 ? "--dtype bfloat16, " : ""));
}

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
