// Inputs of a map made uncorrelated and of one variance, so that what varies little is learnt as soon as what
// varies much.
#pragma once

#include "trainer/model/tensor.hpp"

namespace trainer {

struct Whitening {
  torch::Tensor mean;    // [D] fp64
  torch::Tensor matrix;  // [n, D] fp64
};

// Of samples [N, D]: the matrix takes what is left of the mean to the n directions of most variance, each
// with variance 1. Directions with under `floor` of the largest variance are noise, and are not blown up
// further.
[[nodiscard]] Whitening whiten(const torch::Tensor& samples, std::int64_t directions, double floor);

}  // namespace trainer
