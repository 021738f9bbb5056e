// Rows with everything below the first fused layer already done, and batches of them.
//
// The base is frozen, so the hidden states that enter the first fusion never change: each row is run up to
// there once, alone, without padding. A batch only pads what is stored. Axes: B rows, L positions, H width, V
// vocabulary, N supervised positions of a batch, n of a row.
#pragma once

#include <vector>

#include "trainer/model/fusion.hpp"
#include "trainer/model/llava.hpp"
#include "trainer/model/prompt.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

struct EncodedRow {
  Row row;
  // Both on the CPU: those of all questions would fill a GPU.
  torch::Tensor hidden;       // [L, H], the base's output of the first fused layer
  torch::Tensor base_logits;  // [n, V], what the base alone says at the positions that predict the answer
};

struct Batch {
  std::vector<std::int64_t> rows;    // B, which rows of the caller's list these are
  torch::Tensor hidden;              // [B, L, H]
  torch::Tensor valid;               // [B, L] bool
  torch::Tensor fused;               // [B, L] bool, the positions that may hear
  torch::Tensor supervised;          // [N] int64, flat positions in [B * L] that predict an answer's token
  torch::Tensor targets;             // [N] int64, those tokens
  std::vector<std::int64_t> counts;  // B, supervised positions of each row, in order
  torch::Tensor base_logits;         // [N, V]
};

// Runs `row` through the layers 0 .. first_layer of the base, alone. features [P, H] of its image, or
// undefined, wherever they lie.
[[nodiscard]] EncodedRow encode_row(const Llava& base, Row row, const torch::Tensor& features,
                                    std::int64_t first_layer);

// The embedded row [L, H], for generation, on the base's device.
[[nodiscard]] torch::Tensor embed_row(const Llava& base, const Row& row, const torch::Tensor& features);

[[nodiscard]] Batch make_batch(const std::vector<EncodedRow>& rows, const std::vector<std::int64_t>& which,
                               FusionPositions positions, torch::Device device);

}  // namespace trainer
