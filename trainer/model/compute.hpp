// How many threads and processes compute, so that results do not depend on it. Small products gain nothing
// from threads inside them and round differently with their number; so a small model runs every product on
// one thread and several independent passes side by side, whose gradients are added in a fixed order.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trainer/distributed/process_group.hpp"
#include "trainer/model/compat.hpp"

namespace trainer {

enum class DeviceChoice { automatic, cpu, cuda };
enum class DtypeChoice { automatic, float32, bfloat16 };

// On CUDA where it is chosen, or where the choice is automatic and there is a device; in bf16 where that is
// chosen, or where the choice is automatic and the device is a GPU that computes in it. On CUDA LibTorch is
// told to compute as on the CPU: no TF32, and of several algorithms the one that gives the same bits each
// time. A usage error where CUDA is chosen and is not there.
[[nodiscard]] Placement placement_for(DeviceChoice device, DtypeChoice dtype);
// "float32" or "bfloat16".
[[nodiscard]] std::string text_of(torch::Dtype dtype);

// LibTorch's own account of itself: its version, what it was built with, and which of the processor's
// instructions it uses. Another one may round otherwise.
[[nodiscard]] std::string describe_library();

// The kernels that compute here, whatever was asked for: {"blas": "Haswell", "aten": "AVX2"}. A library that
// does not say has "unknown". Runs of two kinds differ in their last bits.
struct Arithmetic {
  std::string blas, aten;
};
[[nodiscard]] Arithmetic arithmetic_in_use();

class Compute {
 public:
  // width: of the language model; above k_wide its products are worth threads of their own. No group: alone.
  Compute(unsigned threads, std::int64_t width, const Placement& placement,
          std::shared_ptr<const ProcessGroup> group = nullptr);
  [[nodiscard]] const ProcessGroup& group() const { return *group_; }
  // work(0) .. work(count - 1), side by side where the model is small and on the CPU. The first exception is
  // thrown, and a signal to stop ends it between two of them.
  void for_each(std::size_t count, const std::function<void(std::size_t)>& work) const;
  // The same, side by side however wide the model is, each on one thread: for what comes before the model.
  void prepare(std::size_t count, const std::function<void(std::size_t)>& work) const;
  // The passes of one training step: a signal to stop waits for the step's end.
  void run(const std::vector<std::function<void()>>& tasks) const;
  // Rows of a batch that one pass computes. On a GPU `micro_batch`, or sixteen where it is 0, and no more
  // than give every process of the group some of a batch of `batch` rows. On the CPU the last bits of a
  // product depend on its size, and they are not to depend on the memory that there was: so a wide model's
  // rows are computed one by one there, and a small model's sixteen at a time, whatever is asked for.
  [[nodiscard]] std::int64_t rows_at_once(std::int64_t micro_batch, std::int64_t batch) const;
  // Of one product; part of what the last bits of a run depend on.
  [[nodiscard]] int threads_inside() const { return threads_inside_; }

  static constexpr std::int64_t k_wide = 512;

 private:
  std::shared_ptr<const ProcessGroup> group_;
  unsigned available_ = 1;
  unsigned side_by_side_ = 1;
  int threads_inside_ = 1;
  bool is_wide_ = false, is_on_cpu_ = true;
};

}  // namespace trainer
