#include "trainer/run/compute.hpp"

#include <ATen/Parallel.h>

#include "common/error.hpp"
#include "common/parallel.hpp"

namespace trainer {

Placement placement_for(DeviceChoice choice) {
  // The frozen models can be placed on CUDA; the adapter's tensors and the batches are not moved there yet.
  if (choice == DeviceChoice::cuda)
    throw common::Error(common::ErrorKind::usage,
                        "--device cuda: the adapter computes on the CPU only so far; use --device cpu");
  return {};
}

Compute::Compute(unsigned threads, std::int64_t width, const Placement& placement) {
  available_ = common::thread_count(threads);
  if (width > k_wide)
    threads_inside_ = static_cast<int>(available_);
  else if (placement.device.is_cpu())
    side_by_side_ = available_;
  at::set_num_threads(threads_inside_);
}

void Compute::for_each(std::size_t count, const std::function<void(std::size_t)>& work) const {
  common::parallel_for(count, side_by_side_, [&](std::size_t index) {
    at::set_num_threads(threads_inside_);  // OpenMP keeps the number per thread
    work(index);
  });
}

void Compute::prepare(std::size_t count, const std::function<void(std::size_t)>& work) const {
  common::parallel_for(count, available_, [&](std::size_t index) {
    at::set_num_threads(1);
    work(index);
  });
  at::set_num_threads(threads_inside_);
}

void Compute::run(const std::vector<std::function<void()>>& tasks) const {
  const auto task = [&](std::size_t index) {
    at::set_num_threads(threads_inside_);
    tasks[index]();
  };
  common::parallel_for(tasks.size(), side_by_side_, task, common::StopSignals::leave);
}

}  // namespace trainer
