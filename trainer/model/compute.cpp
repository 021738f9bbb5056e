#include "trainer/model/compute.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <cstdlib>

#include "common/error.hpp"
#include "common/parallel.hpp"

namespace trainer {

Placement placement_for(DeviceChoice choice) {
  if (choice == DeviceChoice::cpu) return {};
  if (!torch::cuda::is_available()) {
    if (choice == DeviceChoice::automatic) return {};
    throw common::Error(
        common::ErrorKind::usage,
        "--device cuda: this LibTorch sees no CUDA device (Debian's is built without CUDA); use "
        "--device cpu, or build with a LibTorch for CUDA (-DCMAKE_PREFIX_PATH=<libtorch>)");
  }
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 1);  // read when cuBLAS is first used
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/true);
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  context.setAllowTF32CuBLAS(false);
  context.setAllowTF32CuDNN(false);
  return {torch::kFloat32, torch::kCUDA};
}

std::string describe_library() { return at::show_config(); }

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
