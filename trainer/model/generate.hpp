// Greedy decoding, and the padding of rows that are decoded together. Axes: B rows, L positions, H width.
#pragma once

#include <memory>
#include <vector>

#include "trainer/formats/byte_pairs.hpp"
#include "trainer/model/decoder.hpp"

namespace trainer {

enum class PadSide { left, right };

struct PaddedRows {
  torch::Tensor ids;    // [B, L] int64
  torch::Tensor valid;  // [B, L] bool
};
[[nodiscard]] PaddedRows pad_rows(const std::vector<TokenIds>& rows, std::int64_t pad_token, PadSide side);

// From the hidden states of the prompts, hidden [B,L,H], valid [B,L] (padding on either side), which stand
// behind `prefix` where there is one, until every row has said `eos_token` or `limit` tokens. Ids without the
// eos. The hook sees [B,L,H] first and [B,1,H] afterwards.
[[nodiscard]] std::vector<TokenIds> generate(const Decoder& decoder, std::int64_t eos_token,
                                             const torch::Tensor& hidden, const torch::Tensor& valid,
                                             std::int64_t limit, const LayerHook& hook = {},
                                             const std::shared_ptr<const KvCache>& prefix = nullptr);

}  // namespace trainer
