// Rows with everything below the first fused layer already done, and batches of them.
//
// The base is frozen, so the hidden states that enter the first fusion never change: each row is run up to
// there once, alone, without padding. Of a question with an image only what stands behind the image is a
// row's own; what stands before is its head, shared through a PrefixStore. A batch only pads what is stored.
// Axes: B rows, L positions behind the head, F positions of the head, H width of the language model, V
// vocabulary, N supervised positions of a batch, n of a row.
#pragma once

#include <memory>
#include <vector>

#include "trainer/model/fusion.hpp"
#include "trainer/model/prompt.hpp"
#include "trainer/model/tensor.hpp"
#include "trainer/model/vision_language_base.hpp"

namespace trainer {

struct EncodedRow {
  Row row;
  std::int64_t begin = 0;    // the first position that is stored: 0, or F where the head is a prefix
  std::int64_t prefix = -1;  // the row's image in the PrefixStore; -1: none
  // Both on the CPU: those of all questions would fill a GPU.
  torch::Tensor hidden;       // [L, H], the base's output of the first fused layer
  torch::Tensor base_logits;  // [n, V], what the base alone says at the positions that predict the answer;
                              // undefined where nobody asks
};

struct Batch {
  torch::Tensor hidden;                   // [B, L, H]
  torch::Tensor valid;                    // [B, L] bool
  std::shared_ptr<const KvCache> prefix;  // of the layers above the first fused one, at least; null: none
  torch::Tensor supervised;          // [N] int64, flat positions in [B * L] that predict an answer's token
  torch::Tensor targets;             // [N] int64, those tokens
  std::vector<std::int64_t> counts;  // B, supervised positions of each row, in order
  torch::Tensor base_logits;         // [N, V]; undefined where a row has none
};

// n of a row.
[[nodiscard]] std::int64_t answer_length(const Row& row);

// Where the positions that may hear begin: what stands before them is a prefix.
[[nodiscard]] std::int64_t first_heard(const Row& row, FusionPositions positions);

// The embedded positions before row.fused_begin, [F, H] on the base's device; F is 0 in a row without an
// image. features [P, H] of its image, or undefined, wherever they lie.
[[nodiscard]] torch::Tensor embed_head(const VisionLanguageBase& base, const Row& row,
                                       const torch::Tensor& features);

// The embedded positions [L, H] from `begin` on, up to `end`: of the head, and behind it of the row's ids.
[[nodiscard]] torch::Tensor embed_rest(const VisionLanguageBase& base, const Row& row,
                                       const torch::Tensor& head, std::int64_t begin, std::int64_t end);

enum class Teacher { asked, not_asked };  // whether the base's answer is computed too

// Runs `row` through the layers 0 .. first_layer of the base, alone, behind `prefix` [1, ...] of all layers,
// which is null where the row has none.
[[nodiscard]] EncodedRow encode_row(const VisionLanguageBase& base, Row row, const torch::Tensor& head,
                                    const std::shared_ptr<const KvCache>& prefix, std::int64_t first_layer,
                                    Teacher teacher);

// prefix: of those rows, in their order.
[[nodiscard]] Batch make_batch(const std::vector<const EncodedRow*>& rows,
                               std::shared_ptr<const KvCache> prefix, torch::Device device);

// Of a larger set, those rows.
[[nodiscard]] std::vector<const EncodedRow*> pick(const std::vector<EncodedRow>& rows,
                                                  const std::vector<std::int64_t>& which);
[[nodiscard]] std::vector<std::int64_t> prefixes_of(const std::vector<const EncodedRow*>& rows);

}  // namespace trainer
