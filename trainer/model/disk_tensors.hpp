// Tensors in a file without a name: memory that the kernel may take back and read again, for what is too
// large to be held by all rows of a run at once. The file is gone with the last of its tensors.
#pragma once

#include <filesystem>
#include <memory>

#include "trainer/model/tensor.hpp"

namespace trainer {

class DiskTensors {
 public:
  DiskTensors();  // keeps all in memory
  // The file is made in `folder` when the first tensor comes.
  explicit DiskTensors(const std::filesystem::path& folder);

  // The same numbers, on the CPU. A tensor of a few pages stays in memory. Safe from many threads. Throws io
  // where the folder has no space left.
  [[nodiscard]] torch::Tensor keep(const torch::Tensor& tensor) const;
  [[nodiscard]] std::uint64_t bytes() const;  // in the file

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace trainer
