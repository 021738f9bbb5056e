// How the tiny base learns: the pack's base questions about pictures, and captions without sound.
#pragma once

#include <vector>

#include "packer/check/open.hpp"
#include "trainer/base/make_base.hpp"
#include "trainer/model/llava.hpp"
#include "trainer/model/prompt.hpp"
#include "trainer/samples/samples.hpp"

namespace trainer {

struct TrainingRows {
  std::vector<torch::Tensor> pixels;        // one per picture, [3, S, S]
  std::vector<std::vector<Row>> questions;  // of each picture, with answers
  std::vector<Row> captions;
};

[[nodiscard]] TrainingRows make_rows(const packer::VerifiedPack& pack, const PackSamples& samples,
                                     const PromptWriter& writer, const MakeBaseRequest& request);

// Returns the mean loss of the last hundred steps, nats a token.
double train_base(Llava& base, const TrainingRows& rows, const MakeBaseRequest& request);

}  // namespace trainer
