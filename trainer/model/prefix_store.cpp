#include "trainer/model/prefix_store.hpp"

#include "common/error.hpp"

namespace trainer {
namespace {

// One image at a time into the place of all, so that memory never holds them twice.
void fill(torch::Tensor& all, const torch::Tensor& one, std::int64_t row, std::int64_t rows) {
  if (!one.defined()) return;
  if (!all.defined()) {
    std::vector<std::int64_t> shape = one.sizes().vec();
    shape[0] = rows;
    all = torch::empty(shape, one.options());
  }
  ENSURE(all.size(2) == one.size(2));  // the prompt before an image is the same for all
  all[row].copy_(one[0]);
}

void fill(KvCache& all, const KvCache& one, std::int64_t row, std::int64_t rows) {
  all.keys.resize(one.keys.size());
  all.values.resize(one.values.size());
  for (std::size_t layer = 0; layer < one.keys.size(); ++layer) {
    fill(all.keys[layer], one.keys[layer], row, rows);
    fill(all.values[layer], one.values[layer], row, rows);
  }
}

}  // namespace

std::shared_ptr<const KvCache> stack_prefixes(std::int64_t rows,
                                              const std::function<KvCache(std::int64_t row)>& prefix) {
  if (rows == 0) return nullptr;
  const torch::NoGradGuard frozen;
  if (rows == 1) return std::make_shared<KvCache>(prefix(0));
  auto all = std::make_shared<KvCache>();
  for (std::int64_t row = 0; row < rows; ++row) fill(*all, prefix(row), row, rows);
  return all;
}

PrefixStore::PrefixStore(std::int64_t count, std::int64_t layer, Kept kept, DiskTensors disk)
    : layer_(layer), kept_(kept), disk_(std::move(disk)) {
  if (kept == Kept::states) states_.resize(static_cast<std::size_t>(count));
  if (kept == Kept::keys) keys_.resize(static_cast<std::size_t>(count));
}

void PrefixStore::put(std::int64_t index, const torch::Tensor& states, const KvCache& prefix) {
  const auto at = static_cast<std::size_t>(index);
  if (kept_ == Kept::states) {
    states_.at(at) = disk_.keep(states);
    return;
  }
  KvCache& here = keys_.at(at);
  here = prefix;
  for (std::size_t layer = 0; layer < static_cast<std::size_t>(layer_); ++layer)
    here.keys[layer] = here.values[layer] = torch::Tensor();
}

std::shared_ptr<const KvCache> PrefixStore::gather(const VisionLanguageBase& base,
                                                   const std::vector<std::int64_t>& images) const {
  if (images.empty() || images.front() < 0) return nullptr;
  return stack_prefixes(static_cast<std::int64_t>(images.size()), [&](std::int64_t row) {
    const auto at = static_cast<std::size_t>(images[static_cast<std::size_t>(row)]);
    if (kept_ == Kept::keys) return keys_.at(at);
    return base.decoder().run_prefix(states_.at(at).to(base.placement().device), layer_);
  });
}

}  // namespace trainer
