#include "trainer/model/generate.hpp"

#include <algorithm>

namespace trainer {

PaddedRows pad_rows(const std::vector<TokenIds>& rows, std::int64_t pad_token, PadSide side) {
  std::size_t length = 0;
  for (const auto& row : rows) length = std::max(length, row.size());
  const auto shape = {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(length)};
  PaddedRows padded{torch::full(shape, pad_token, torch::kInt64), torch::zeros(shape, torch::kBool)};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t first = i * length + (side == PadSide::left ? length - rows[i].size() : 0);
    std::copy(rows[i].begin(), rows[i].end(), padded.ids.data_ptr<std::int64_t>() + first);
    std::fill_n(padded.valid.data_ptr<bool>() + first, rows[i].size(), true);
  }
  return padded;
}

std::vector<TokenIds> generate(const Decoder& decoder, std::int64_t eos_token, const torch::Tensor& hidden,
                               const torch::Tensor& valid, std::int64_t limit, const LayerHook& hook,
                               const std::shared_ptr<const KvCache>& prefix) {
  const torch::NoGradGuard no_grad;
  const auto rows = hidden.size(0);
  std::vector<TokenIds> answers(static_cast<std::size_t>(rows));
  KvCache cache;
  auto keys = valid;  // [B, K]
  auto states =
      decoder.run_layers(hidden, 0, decoder.layers(), decoder.context(keys, 0, prefix), hook, &cache);
  // The last valid position of each row, wherever its padding is.
  const auto order = torch::arange(1, valid.size(1) + 1, valid.device());
  const auto last = (valid * order).argmax(1);                              // [B]
  auto newest = states.index({torch::arange(rows, valid.device()), last});  // [B,H]
  auto open = torch::ones({rows}, torch::kBool);
  for (std::int64_t step = 0; step < limit; ++step) {
    const auto ids = decoder.logits(newest).argmax(-1);  // [B]
    const auto said = ids.cpu();
    open = open & (said != eos_token);
    for (std::int64_t row = 0; row < rows; ++row)
      if (open[row].item<bool>())
        answers[static_cast<std::size_t>(row)].push_back(said[row].item<std::int64_t>());
    if (step + 1 == limit || !open.any().item<bool>()) break;
    keys = at::cat({keys, torch::ones({rows, 1}, valid.options())}, 1);
    const auto context = decoder.context(keys, keys.size(1) - 1, prefix);
    states = decoder.run_layers(decoder.embed(ids.unsqueeze(1)), 0, decoder.layers(), context, hook, &cache);
    newest = states.select(1, 0);
  }
  return answers;
}

}  // namespace trainer
