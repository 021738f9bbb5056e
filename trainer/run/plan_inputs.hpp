// The numbers that a plan is computed from: shapes and sizes of the models, lengths of the rows, free memory.
#pragma once

#include <cstdint>

#include "trainer/formats/llava_config.hpp"
#include "trainer/model/compat.hpp"
#include "trainer/train/config.hpp"
#include "trainer/train/experiment.hpp"

namespace trainer {

struct PlanInputs {
  DecoderConfig decoder;
  std::uint64_t base_parameters = 0, audio_parameters = 0;
  std::uint64_t largest_tensor_bytes = 0;  // of the base, as it is stored
  Placement placement;
  std::int64_t threads_rows = 0;        // that the CPU computes at once; 0: a GPU, whose memory decides
  std::int64_t passes_at_once = 1;      // side by side, on the CPU
  std::int64_t head_positions = 0;      // F, up to the end of the image
  std::int64_t question_positions = 0;  // behind it, answer included: the longest
  std::int64_t clip_positions = 0;      // of a caption's row: the longest
  std::int64_t clips = 0, held_out = 0, caption_rows = 0;
  std::int64_t retention_questions = 0, retention_images = 0, questions = 0, question_images = 0;
  std::int64_t questions_beyond = 0;  // the stream; their images are among question_images
  std::uint64_t device_free = 0, host_free = 0;
  std::uint64_t program_bytes = 0;  // that this process has now: LibTorch, mostly, and the pack's tables
};

// From the models' headers and the pack's texts, put as config.prompt says. Also fills in the widths that
// `config` takes from the base.
[[nodiscard]] PlanInputs plan_inputs(RunConfig& config, const Selection& selection);

}  // namespace trainer
