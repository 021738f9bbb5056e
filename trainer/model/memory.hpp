// How much memory there is to be had.
#pragma once

#include <cstdint>

#include "trainer/model/tensor.hpp"

namespace trainer {

// Of the device: what it could still give now. Of the CPU: what the kernel calls available, or what is left
// of the control group's limit where that is less (SLURM sets one). 0 where nobody says.
[[nodiscard]] std::uint64_t free_bytes(torch::Device device);
[[nodiscard]] std::uint64_t total_bytes(torch::Device device);

// Of this process, now.
[[nodiscard]] std::uint64_t resident_bytes();

}  // namespace trainer
