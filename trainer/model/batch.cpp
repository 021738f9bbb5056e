#include "trainer/model/batch.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "trainer/model/compat.hpp"

namespace trainer {
namespace {

// Position p predicts token p + 1.
std::int64_t first_supervised(const EncodedRow& encoded) {
  const std::int64_t first = encoded.row.answer_begin - 1 - encoded.begin;
  ENSURE(first >= 0);
  return first;
}

std::int64_t length_of(const EncodedRow& encoded) {
  return static_cast<std::int64_t>(encoded.row.ids.size()) - encoded.begin;
}

}  // namespace

std::int64_t answer_length(const Row& row) {
  return static_cast<std::int64_t>(row.ids.size()) - row.answer_begin;
}

std::int64_t first_heard(const Row& row, FusionPositions positions) {
  return positions == FusionPositions::all ? 0 : row.fused_begin;
}

torch::Tensor embed_head(const VisionLanguageBase& base, const Row& row, const torch::Tensor& features) {
  const torch::NoGradGuard frozen;
  const torch::Device device = base.placement().device;
  const TokenIds ids(row.ids.begin(), row.ids.begin() + row.fused_begin);
  return base
      .embed(index_on(device, ids).unsqueeze(0),
             features.defined() ? features.unsqueeze(0).to(device) : features)
      .squeeze(0);
}

torch::Tensor embed_rest(const VisionLanguageBase& base, const Row& row, const torch::Tensor& head,
                         std::int64_t begin, std::int64_t end) {
  const torch::NoGradGuard frozen;
  const torch::Device device = base.placement().device;
  const std::int64_t text = std::max(begin, row.fused_begin);
  const TokenIds ids(row.ids.begin() + text, row.ids.begin() + end);
  const torch::Tensor embedded = base.embed(index_on(device, ids).unsqueeze(0)).squeeze(0);
  return begin < row.fused_begin ? torch::cat({head.slice(0, begin).to(device), embedded}) : embedded;
}

EncodedRow encode_row(const VisionLanguageBase& base, Row row, const torch::Tensor& head,
                      const std::shared_ptr<const KvCache>& prefix, std::int64_t first_layer,
                      Teacher teacher) {
  const torch::NoGradGuard frozen;
  const Decoder& decoder = base.decoder();
  EncodedRow encoded;
  encoded.begin = prefix ? row.fused_begin : 0;
  const auto end = static_cast<std::int64_t>(row.ids.size());
  const torch::Tensor embedded = embed_rest(base, row, head, encoded.begin, end).unsqueeze(0);
  encoded.row = std::move(row);
  DecoderContext context = decoder.context(
      torch::ones({1, embedded.size(1)}, torch::TensorOptions(torch::kBool).device(embedded.device())), 0,
      prefix);
  const torch::Tensor hidden = decoder.run_layers(embedded, 0, first_layer + 1, context);
  if (teacher == Teacher::asked) {
    // The very positions that a batch asks for, so that a row that is run alone gives these bits again.
    context.wanted = torch::arange(first_supervised(encoded), embedded.size(1) - 1,
                                   torch::TensorOptions(torch::kLong).device(embedded.device()));
    torch::Tensor last = decoder.run_layers(hidden, first_layer + 1, decoder.layers(), context);
    if (last.dim() == 3) last = last[0].index_select(0, context.wanted);  // no layer above the fused one
    encoded.base_logits = decoder.logits(last).to(torch::kCPU);
  }
  encoded.hidden = hidden[0].to(torch::kCPU);
  return encoded;
}

Batch make_batch(const std::vector<const EncodedRow*>& rows, std::shared_ptr<const KvCache> prefix,
                 torch::Device device) {
  ENSURE(!rows.empty());
  Batch batch;
  const auto count = static_cast<std::int64_t>(rows.size());
  std::int64_t length = 0;
  for (const EncodedRow* row : rows) length = std::max(length, length_of(*row));
  const torch::Tensor& first = rows.front()->hidden;
  batch.hidden = torch::zeros({count, length, first.size(1)}, first.options());
  batch.valid = torch::zeros({count, length}, torch::kBool);
  std::vector<std::int64_t> supervised;
  std::vector<std::int64_t> targets;
  std::vector<torch::Tensor> base_logits;
  for (std::int64_t b = 0; b < count; ++b) {
    const EncodedRow& encoded = *rows[static_cast<std::size_t>(b)];
    ENSURE(encoded.begin == (prefix ? prefix->length() : 0));
    const std::int64_t own = length_of(encoded);
    batch.hidden[b].slice(0, 0, own).copy_(encoded.hidden);
    batch.valid[b].slice(0, 0, own).fill_(true);
    for (std::int64_t p = first_supervised(encoded); p + 1 < own; ++p) {
      supervised.push_back(b * length + p);
      targets.push_back(encoded.row.ids[static_cast<std::size_t>(encoded.begin + p + 1)]);
    }
    batch.counts.push_back(answer_length(encoded.row));
    if (encoded.base_logits.defined()) base_logits.push_back(encoded.base_logits);
  }
  batch.hidden = batch.hidden.to(device);
  batch.valid = batch.valid.to(device);
  batch.prefix = std::move(prefix);
  batch.supervised = index_on(device, supervised);
  batch.targets = index_on(device, targets);
  if (base_logits.size() == rows.size()) batch.base_logits = torch::cat(base_logits).to(device);
  return batch;
}

std::vector<const EncodedRow*> pick(const std::vector<EncodedRow>& rows,
                                    const std::vector<std::int64_t>& which) {
  std::vector<const EncodedRow*> picked;
  for (const std::int64_t index : which) picked.push_back(&rows[static_cast<std::size_t>(index)]);
  return picked;
}

std::vector<std::int64_t> prefixes_of(const std::vector<const EncodedRow*>& rows) {
  std::vector<std::int64_t> prefixes;
  for (const EncodedRow* row : rows) prefixes.push_back(row->prefix);
  return prefixes;
}

}  // namespace trainer
