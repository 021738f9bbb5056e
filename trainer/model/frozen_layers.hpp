// A range of frozen layers as one step of the graph: the weights need no gradient, so only that of the input
// is computed, and a sixth of what autograd would keep is kept for it.
#pragma once

#include "trainer/model/decoder.hpp"

namespace trainer {

// What is kept of each layer until its gradient is asked for. inputs: its input alone, and it is run again
// then (gradient checkpointing), for rows without a prefix, whose every position has a graph.
enum class Recall { traces, inputs };

// Layers first .. last-1, the same bits with and without a graph. hidden [B,L,H] -> [B,L,H].
[[nodiscard]] torch::Tensor run_frozen(const Decoder& decoder, const torch::Tensor& hidden,
                                       std::int64_t first, std::int64_t last, const DecoderContext& context,
                                       Recall recall);

}  // namespace trainer
