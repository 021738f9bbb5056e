// One pass over rows: the greedy answer, and how likely the reference is, with or without sound.
// Axes: n rows, D width of the audio encoder.
#pragma once

#include <string>
#include <vector>

#include "common/progress.hpp"
#include "trainer/model/compute.hpp"
#include "trainer/model/safe_model.hpp"

namespace trainer {

struct SpokenRow {
  const EncodedRow* row = nullptr;
  torch::Tensor features;  // [P, H] of its image, or undefined
};

enum class Voice { base, safe };  // base: no adapter in the computation at all

struct Hearing {
  torch::Tensor clips;  // [n, D], one for each row; undefined: no sound
  double gate = 1;
};

struct Spoken {
  std::string text;       // as generated, special tokens left out
  double nll = 0;         // nats a token of the row's own answer
  double kl = 0;          // nats, mean over the answer's positions, from the base (over the same padding)
  bool same_bits = true;  // all the row's logits equal the base's
};

struct SpeakOptions {
  std::int64_t batch_size = 16;
  std::int64_t token_limit = 12;
  FusionPositions positions = FusionPositions::text;
  std::string what = "asking";
  common::Verbosity verbosity = common::Verbosity::normal;
};

// Batches are rows in their order, so what is in a batch, and every bit of it, is the same on any number of
// threads.
[[nodiscard]] std::vector<Spoken> speak(const SafeModel& model, const Tokenizer& tokenizer,
                                        const std::vector<SpokenRow>& rows, Voice voice,
                                        const Hearing& hearing, const SpeakOptions& options,
                                        const Compute& compute);

}  // namespace trainer
