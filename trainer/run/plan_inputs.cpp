#include "trainer/run/plan_inputs.hpp"

#include <algorithm>
#include <set>

#include "common/parallel.hpp"
#include "trainer/formats/model_folder.hpp"
#include "trainer/model/memory.hpp"
#include "trainer/model/open_model.hpp"
#include "trainer/model/prompt_text.hpp"

namespace trainer {
namespace {

// Lengths of rows as PromptWriter makes them.
class Lengths {
 public:
  Lengths(const Tokenizer& tokenizer, const BaseShape& base, PromptForm form)
      : tokenizer_(tokenizer), base_(base), form_(form) {}

  void count_question(const QuestionSample& sample, PlanInputs& inputs) const {
    const TokenIds ids = tokenizer_.encode(image_prompt(form_, sample.question));
    const auto image = std::find(ids.begin(), ids.end(), base_.image_token);
    if (image == ids.end()) return;  // refused when rows are made, by the question's number
    inputs.head_positions =
        std::max<std::int64_t>(inputs.head_positions, image - ids.begin() + base_.image_positions);
    inputs.question_positions = std::max<std::int64_t>(
        inputs.question_positions, ids.end() - image - 1 + answer_length(sample.majority_answer));
  }

  void count_clip(const ClipSample& sample, PlanInputs& inputs) const {
    const auto asked =
        static_cast<std::int64_t>(tokenizer_.encode(text_prompt(form_, sample.question)).size());
    for (const std::string& caption : sample.captions)
      inputs.clip_positions = std::max(inputs.clip_positions, asked + answer_length(caption));
  }

 private:
  // With the token that ends it.
  [[nodiscard]] std::int64_t answer_length(const std::string& answer) const {
    return static_cast<std::int64_t>(tokenizer_.encode(answer, SpecialTokens::none).size()) + 1;
  }

  const Tokenizer& tokenizer_;
  const BaseShape& base_;
  PromptForm form_;
};

void count_rows(const Lengths& lengths, const Selection& selection, bool asks_beyond, PlanInputs& inputs) {
  std::set<common::PackPath> question_images, retention_images;
  for (const QuestionSample& question : selection.validation) {
    lengths.count_question(question, inputs);
    question_images.insert(question.image);
  }
  for (const QuestionSample& question : selection.retention) {
    lengths.count_question(question, inputs);
    retention_images.insert(question.image);
  }
  for (const auto* clips : {&selection.train, &selection.held_out})
    for (const ClipSample& clip : *clips) lengths.count_clip(clip, inputs);
  const std::size_t shown_again = asks_beyond ? question_images.size() : 0;
  for (const QuestionSample& question : selection.unlike) {
    lengths.count_question(question, inputs);
    question_images.insert(question.image);
  }
  const auto size = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  inputs.questions = size(selection.validation);
  if (asks_beyond) inputs.questions_beyond = size(selection.unlike) + 2 * inputs.questions;
  inputs.retention_questions = size(selection.retention);
  inputs.question_images = size(question_images) + static_cast<std::int64_t>(shown_again);
  inputs.retention_images = size(retention_images);
  inputs.clips = size(selection.memorised);
  inputs.held_out = size(selection.held_out);
  inputs.caption_rows = count_train_rows(selection);
}

}  // namespace

PlanInputs plan_inputs(RunConfig& config, const Selection& selection) {
  PlanInputs inputs;
  inputs.placement = placement_for(config.device, config.dtype);
  const ModelFolder base(config.base), audio(config.audio_encoder);
  const BaseShape shape = read_base_shape(base);
  inputs.decoder = shape.decoder;
  config.fusion.width = config.projector.width = shape.decoder.hidden;
  config.projector.audio_width = read_audio_width(audio);
  const WeightSizes base_sizes = read_weight_sizes(base, ModelKind::vision_language);
  inputs.base_parameters = base_sizes.parameters;
  inputs.largest_tensor_bytes = base_sizes.largest_bytes;
  inputs.audio_parameters = read_weight_sizes(audio, ModelKind::audio).parameters;
  const Compute compute(config.threads, config.fusion.width, inputs.placement);
  inputs.threads_rows = inputs.placement.device.is_cuda() ? 0 : compute.rows_at_once(1, 1);
  // As Compute has them side by side.
  if (inputs.placement.device.is_cpu() && config.fusion.width <= Compute::k_wide)
    inputs.passes_at_once = common::thread_count(config.threads);
  const Tokenizer tokenizer = Tokenizer::load(base);
  count_rows({tokenizer, shape, config.prompt}, selection,
             config.evaluation.beyond_stream == BeyondStream::ask, inputs);
  inputs.device_free = free_bytes(inputs.placement.device);
  inputs.host_free = free_bytes(torch::kCPU);
  inputs.program_bytes = resident_bytes();
  return inputs;
}

}  // namespace trainer
