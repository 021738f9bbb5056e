// What stands before the first position that may hear, of every image: it never hears, so its keys and values
// are the base's, in every step and for teacher and student alike. Either all of them are kept where the base
// lives, or, where they would not fit (0.4 GB an image at 13B), the states that enter the layers are, on disk
// (6 MB), and a batch's keys and values are computed again without autograd. Both are the same bits.
// Axes: B rows, P positions, H width of the language model, E width of a head.
#pragma once

#include <memory>
#include <vector>

#include "trainer/model/disk_tensors.hpp"
#include "trainer/model/vision_language_base.hpp"

namespace trainer {

// Those of the rows of a batch, [1, kv heads, P, E] each, as one [B, kv heads, P, E]. Null where rows is 0.
[[nodiscard]] std::shared_ptr<const KvCache> stack_prefixes(
    std::int64_t rows, const std::function<KvCache(std::int64_t row)>& prefix);

enum class Kept { keys, states };

class PrefixStore {
 public:
  PrefixStore() = default;
  // Of `count` images, whose states enter layer `layer`.
  PrefixStore(std::int64_t count, std::int64_t layer, Kept kept, DiskTensors disk);

  // Image `index`: its states [1,P,H] and the keys and values that Decoder::run_prefix made of them; of
  // earlier layers they are not kept. Once each, safe from many threads.
  void put(std::int64_t index, const torch::Tensor& states, const KvCache& prefix);
  // Of those images, in this order; null where there is none.
  [[nodiscard]] std::shared_ptr<const KvCache> gather(const VisionLanguageBase& base,
                                                      const std::vector<std::int64_t>& images) const;
  [[nodiscard]] Kept kept() const { return kept_; }

 private:
  std::int64_t layer_ = 0;
  Kept kept_ = Kept::states;
  DiskTensors disk_;
  std::vector<torch::Tensor> states_;
  std::vector<KvCache> keys_;
};

}  // namespace trainer
