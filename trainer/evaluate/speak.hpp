// Rows asked of the base and, with what they hear under each of several conditions, of SAFE: the answer, and
// how likely the reference is. Batch by batch: what stands before the first position that hears, and what the
// base says, is computed once for all conditions. Axes: n rows, D width of the audio encoder, F positions up
// to the end of an image.
#pragma once

#include <string>
#include <vector>

#include "common/progress.hpp"
#include "trainer/evaluate/answer_log.hpp"
#include "trainer/model/compute.hpp"
#include "trainer/model/safe_model.hpp"

namespace trainer {

struct SpokenRow {
  const EncodedRow* row = nullptr;
  torch::Tensor head;  // [F, H] of its image, or undefined
};

struct Hearing {
  torch::Tensor clips;  // [n, D], one for each row; undefined: no sound
  double gate = 1;
};

struct SpeakOptions {
  std::int64_t batch_size = 16;
  std::int64_t token_limit = 12;
  FusionPositions positions = FusionPositions::text;
  std::string what = "asking";
  common::Verbosity verbosity = common::Verbosity::normal;
  std::int64_t beams = 1;  // of a beam search; 1: the greedy answer
};

struct SpokenSet {
  std::vector<Spoken> base;               // n, no adapter in the computation at all
  std::vector<std::vector<Spoken>> safe;  // one a hearing, n each
};

// Batches are rows in their order, so what is in a batch, and every bit of it, is the same on any number of
// threads. A batch that `log` has under options.what is taken from there, and every other one is put there.
[[nodiscard]] SpokenSet speak(const SafeModel& model, const Tokenizer& tokenizer,
                              const std::vector<SpokenRow>& rows, const std::vector<Hearing>& hearings,
                              const SpeakOptions& options, const Compute& compute, AnswerLog& log);

}  // namespace trainer
