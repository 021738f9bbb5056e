// What a frozen encoder made of a file, kept on disk between runs. Encoding one item at a time gives the same
// bits every time, so a run's bytes do not depend on whether something was found here.
//
// An entry is named by all that decides it: the encoder (its weights, software and device) and the file's
// digest. It begins with the SHA-256 of the rest; one that is cut or changed is made again. Entries are not
// synced, since they can be lost without loss.
#pragma once

#include <filesystem>
#include <optional>

#include "common/digest.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

class FeatureCache {
 public:
  FeatureCache() = default;  // keeps nothing
  FeatureCache(const std::filesystem::path& folder, const common::Digest& encoder);
  // Both are safe from many threads and processes. What cannot be read or has changed is as good as absent.
  [[nodiscard]] std::optional<torch::Tensor> find(const common::Digest& file) const;
  void keep(const common::Digest& file, const torch::Tensor& features) const;

 private:
  [[nodiscard]] std::filesystem::path entry_of(const common::Digest& file) const;

  std::filesystem::path folder_;  // of this encoder; empty: keeps nothing
};

}  // namespace trainer
