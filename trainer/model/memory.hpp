// How much memory there is to be had.
#pragma once

#include <cstdint>

#include "trainer/model/tensor.hpp"

namespace trainer {

// Of the device: what it could still give now. Of the CPU: what the kernel calls available, or what is left
// of the control group's limit where that is less (SLURM sets one). 0 where nobody says.
[[nodiscard]] std::uint64_t free_bytes(torch::Device device);
[[nodiscard]] std::uint64_t total_bytes(torch::Device device);

// From now on the heap keeps what is freed, up to 256 MB at its end, and asks the kernel for larger pieces.
// Steps of a tiny base make and free thousands of tensors: without this it shrinks and grows in each.
void keep_freed_memory();

// Of this process, now.
[[nodiscard]] std::uint64_t resident_bytes();

}  // namespace trainer
