#include "trainer/model/batch.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "trainer/model/compat.hpp"

namespace trainer {

torch::Tensor embed_row(const Llava& base, const Row& row, const torch::Tensor& features) {
  const torch::Device device = base.placement().device;
  const torch::Tensor ids = index_on(device, row.ids).unsqueeze(0);
  return base.embed(ids, features.defined() ? features.unsqueeze(0).to(device) : features).squeeze(0);
}

EncodedRow encode_row(const Llava& base, Row row, const torch::Tensor& features, std::int64_t first_layer) {
  const torch::NoGradGuard frozen;
  const Decoder& decoder = base.decoder();
  const torch::Tensor embedded = embed_row(base, row, features).unsqueeze(0);
  const torch::Tensor valid =
      torch::ones({1, embedded.size(1)}, torch::TensorOptions(torch::kBool).device(embedded.device()));
  const DecoderContext context = decoder.context(valid);
  EncodedRow encoded;
  const torch::Tensor hidden = decoder.run_layers(embedded, 0, first_layer + 1, context);
  const torch::Tensor last = decoder.run_layers(hidden, first_layer + 1, decoder.layers(), context);
  const auto length = static_cast<std::int64_t>(row.ids.size());
  encoded.hidden = hidden.squeeze(0).to(torch::kCPU);
  // Position p predicts token p + 1.
  encoded.base_logits =
      decoder.logits(last.squeeze(0).slice(0, row.answer_begin - 1, length - 1)).to(torch::kCPU);
  encoded.row = std::move(row);
  return encoded;
}

Batch make_batch(const std::vector<EncodedRow>& rows, const std::vector<std::int64_t>& which,
                 FusionPositions positions, torch::Device device) {
  ENSURE(!which.empty());
  Batch batch;
  batch.rows = which;
  const auto count = static_cast<std::int64_t>(which.size());
  std::int64_t length = 0;
  for (const std::int64_t index : which)
    length =
        std::max(length, static_cast<std::int64_t>(rows[static_cast<std::size_t>(index)].row.ids.size()));
  const torch::Tensor& first = rows[static_cast<std::size_t>(which.front())].hidden;
  batch.hidden = torch::zeros({count, length, first.size(1)}, first.options());
  batch.valid = torch::zeros({count, length}, torch::kBool);
  batch.fused = torch::zeros({count, length}, torch::kBool);
  std::vector<std::int64_t> supervised;
  std::vector<std::int64_t> targets;
  std::vector<torch::Tensor> base_logits;
  for (std::int64_t b = 0; b < count; ++b) {
    const EncodedRow& encoded = rows[static_cast<std::size_t>(which[static_cast<std::size_t>(b)])];
    const Row& row = encoded.row;
    const auto own = static_cast<std::int64_t>(row.ids.size());
    batch.hidden[b].slice(0, 0, own).copy_(encoded.hidden);
    batch.valid[b].slice(0, 0, own).fill_(true);
    batch.fused[b].slice(0, positions == FusionPositions::all ? 0 : row.fused_begin, own).fill_(true);
    for (std::int64_t p = row.answer_begin; p < own; ++p) {
      supervised.push_back(b * length + p - 1);
      targets.push_back(row.ids[static_cast<std::size_t>(p)]);
    }
    batch.counts.push_back(own - row.answer_begin);
    base_logits.push_back(encoded.base_logits);
  }
  batch.hidden = batch.hidden.to(device);
  batch.valid = batch.valid.to(device);
  batch.fused = batch.fused.to(device);
  batch.supervised = index_on(device, supervised);
  batch.targets = index_on(device, targets);
  batch.base_logits = torch::cat(base_logits).to(device);
  return batch;
}

}  // namespace trainer
