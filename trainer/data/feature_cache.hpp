// What a frozen encoder made of a file, kept on disk between runs. Encoding one item at a time gives the same
// bits every time, so a run's bytes do not depend on whether something was found here.
//
// An entry is named by all that decides it: what made it (the encoder's weights, software, device) and the
// file's digest. It begins with a seal over both names and the rest, under a key of the user's own; whatever
// has another seal is made again. The cache is optional: where it cannot be written the run goes on, with one
// warning. Entries are not synced, since they can be lost without loss.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "common/digest.hpp"
#include "trainer/data/cache_key.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

class FeatureCache {
 public:
  FeatureCache();  // keeps nothing, but counts
  // maker: of all that decides the features of a file.
  FeatureCache(const std::filesystem::path& folder, const common::Digest& maker, const CacheKey& key);
  // Of another maker, in the same folder and with the same one warning.
  [[nodiscard]] FeatureCache beside(const common::Digest& maker) const;

  // Both are safe from many threads and processes. What cannot be read, or was not sealed with the key, is as
  // good as absent.
  [[nodiscard]] std::optional<torch::Tensor> find(const common::Digest& file) const;
  void keep(const common::Digest& file, const torch::Tensor& features) const;

  [[nodiscard]] std::uint64_t used() const;      // found
  [[nodiscard]] std::uint64_t computed() const;  // handed to keep()

 private:
  struct State;
  explicit FeatureCache(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;  // of all copies
};

}  // namespace trainer
