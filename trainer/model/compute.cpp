#include "trainer/model/compute.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "trainer/model/cuda_library.hpp"
#include "trainer/model/memory.hpp"

namespace trainer {

namespace {

torch::Device device_for(DeviceChoice choice) {
  if (choice == DeviceChoice::cpu) return torch::kCPU;
  if (!has_cuda()) {
    // A driver and a LibTorch that cannot use it: nobody wants to find that out after a night on the CPU.
    if (choice == DeviceChoice::automatic && why_no_cuda().empty()) return torch::kCPU;
    throw common::Error(
        common::ErrorKind::usage,
        why_no_cuda().empty()
            ? "--device cuda: this LibTorch sees no CUDA device (Debian's is built without CUDA); use "
              "--device cpu, or build against a LibTorch for CUDA (scripts/build_for_torch.sh)"
            : "--device: there is an NVIDIA driver, and LibTorch's half for CUDA cannot be loaded (" +
                  why_no_cuda() + "); use --device cpu, or install the CUDA libraries of that LibTorch");
  }
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 1);  // read when cuBLAS is first used
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/true);
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  context.setAllowTF32CuBLAS(false);
  context.setAllowTF32CuDNN(false);
  return torch::kCUDA;
}

// Older GPUs have no such products and say so.
bool multiplies_bf16(torch::Device device) {
  try {
    const torch::Tensor one = torch::ones({16, 16}, torch::TensorOptions(device).dtype(torch::kBFloat16));
    return at::matmul(one, one).cpu().eq(16).all().item<bool>();
  } catch (const c10::Error&) {
    return false;
  }
}

}  // namespace

Placement placement_for(DeviceChoice device, DtypeChoice dtype) {
  Placement placement;
  placement.device = device_for(device);
  if (dtype == DtypeChoice::bfloat16 ||
      (dtype == DtypeChoice::automatic && placement.device.is_cuda() && multiplies_bf16(placement.device)))
    placement.dtype = torch::kBFloat16;
  return placement;
}

std::string text_of(torch::Dtype dtype) { return dtype == torch::kBFloat16 ? "bfloat16" : "float32"; }

std::string describe_library() { return at::show_config(); }

Arithmetic arithmetic_in_use() {
  Arithmetic found{"unknown", "unknown"};
  // Of whichever BLAS is loaded; MKL, which PyPI's LibTorch has, does what its variable says.
  using CoreName = char* (*)();
  if (const auto name = reinterpret_cast<CoreName>(::dlsym(RTLD_DEFAULT, "openblas_get_corename")))
    found.blas = name();
  else if (at::hasMKL())
    if (const char* const branch = std::getenv("MKL_CBWR")) found.blas = std::string("MKL ") + branch;
  const std::string account = describe_library(), before = "CPU capability usage: ";
  if (const std::size_t at = account.find(before); at != std::string::npos) {
    const std::size_t begin = at + before.size();
    found.aten = account.substr(begin, account.find_first_of("\r\n,", begin) - begin);
  }
  return found;
}

Compute::Compute(unsigned threads, std::int64_t width, const Placement& placement,
                 std::shared_ptr<const ProcessGroup> group)
    : group_(group ? std::move(group) : std::make_shared<const ProcessGroup>()) {
  available_ = common::thread_count(threads);
  is_wide_ = width > k_wide;
  is_on_cpu_ = !placement.device.is_cuda();
  if (is_on_cpu_) keep_freed_memory();
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

std::int64_t Compute::rows_at_once(std::int64_t micro_batch, std::int64_t batch) const {
  constexpr std::int64_t k_small_rows = 16;
  if (!is_on_cpu_) {
    const std::int64_t share = (batch + group_->size() - 1) / group_->size();
    return std::max<std::int64_t>(std::min(micro_batch > 0 ? micro_batch : k_small_rows, share), 1);
  }
  return is_wide_ ? 1 : k_small_rows;
}

void Compute::run(const std::vector<std::function<void()>>& tasks) const {
  const auto task = [&](std::size_t index) {
    at::set_num_threads(threads_inside_);
    tasks[index]();
  };
  common::parallel_for(tasks.size(), side_by_side_, task, common::StopSignals::leave);
}

}  // namespace trainer
