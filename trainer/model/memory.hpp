// How much memory there is to be had.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "trainer/model/tensor.hpp"

namespace trainer {

struct Memory {
  std::uint64_t free = 0, total = 0;
};

// Of the device: what it could still give now. Of the CPU: what the kernel calls available, or what is left
// of a control group's limit where that is less (SLURM sets one), shared among the processes of a run that
// are on this machine. 0 where nobody says.
[[nodiscard]] std::uint64_t free_bytes(torch::Device device);
[[nodiscard]] std::uint64_t total_bytes(torch::Device device);

// Of free_bytes of the CPU from now on: this many processes of one run divide it.
void share_host_memory(int processes);

// What the control groups leave of which /proc/self/cgroup says `membership`; nothing where none has a limit.
// A limit holds for all below it: SLURM's is the job's, and a process is two or three groups further down.
// Pages of files that nobody has used lately count as free. `root`: where the groups are mounted, of version
// 2 or 1.
[[nodiscard]] std::optional<Memory> group_memory(const std::string& membership,
                                                 const std::filesystem::path& root = "/sys/fs/cgroup");

// From now on the heap keeps what is freed, up to 256 MB at its end, and asks the kernel for larger pieces.
// Steps of a tiny base make and free thousands of tensors: without this it shrinks and grows in each.
void keep_freed_memory();

// Of this process, now.
[[nodiscard]] std::uint64_t resident_bytes();

}  // namespace trainer
