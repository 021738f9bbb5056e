// Gradients of passes that may end in any order, added in the order of the passes, so that the sum's bits do
// not depend on who was first. Where they end in that order, no more than one is held beside the sum.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "trainer/model/tensor.hpp"

namespace trainer {

class OrderedSum {
 public:
  // Pass 0, 1, ... once each; safe from many threads. What is undefined counts as 0.
  void add(std::size_t pass, std::vector<torch::Tensor> gradients);
  // Undefined where no pass had one.
  [[nodiscard]] std::vector<torch::Tensor> take();

 private:
  std::mutex mutex_;
  std::size_t next_ = 0;
  std::map<std::size_t, std::vector<torch::Tensor>> waiting_;
  std::vector<torch::Tensor> sums_;
};

}  // namespace trainer
