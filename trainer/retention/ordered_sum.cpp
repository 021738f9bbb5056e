#include "trainer/retention/ordered_sum.hpp"

#include "common/error.hpp"
#include "trainer/retention/mechanism.hpp"

namespace trainer {

void OrderedSum::add(std::size_t pass, std::vector<torch::Tensor> gradients) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace(pass, std::move(gradients));
  for (auto first = waiting_.begin(); first != waiting_.end() && first->first == next_;
       first = waiting_.erase(first), ++next_)
    add_gradients(sums_, first->second);
}

std::vector<torch::Tensor> OrderedSum::take() {
  const std::lock_guard lock(mutex_);
  ENSURE(waiting_.empty());
  return std::move(sums_);
}

}  // namespace trainer
