#include "trainer/model/memory.hpp"

#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>

namespace trainer {
namespace {

struct Memory {
  std::uint64_t free = 0, total = 0;
};

std::optional<std::uint64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

// Version 2 of control groups; a group without a limit says "max".
std::optional<Memory> group_memory() {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::")) continue;
    const std::string folder = "/sys/fs/cgroup" + line.substr(3);
    const auto limit = number_in(folder + "/memory.max"), used = number_in(folder + "/memory.current");
    if (limit && used) return Memory{*limit - std::min(*limit, *used), *limit};
  }
  return std::nullopt;
}

Memory host_memory() {
  Memory memory;
  std::ifstream table("/proc/meminfo");
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kibibytes = 0;
    if (!(words >> name >> kibibytes)) continue;
    if (name == "MemAvailable:") memory.free = kibibytes << 10;
    if (name == "MemTotal:") memory.total = kibibytes << 10;
  }
  if (const std::optional<Memory> group = group_memory())
    memory = {std::min(memory.free, group->free), std::min(memory.total, group->total)};
  return memory;
}

// LibTorch's own functions for this are only in builds for CUDA; the runtime that such a build has loaded is
// asked by name.
Memory cuda_memory() {
  using Query = int (*)(std::size_t*, std::size_t*);
  const auto query = reinterpret_cast<Query>(::dlsym(RTLD_DEFAULT, "cudaMemGetInfo"));
  std::size_t free = 0, total = 0;
  if (query == nullptr || query(&free, &total) != 0) return {};
  return {free, total};
}

Memory memory_of(torch::Device device) { return device.is_cuda() ? cuda_memory() : host_memory(); }

}  // namespace

std::uint64_t free_bytes(torch::Device device) { return memory_of(device).free; }
std::uint64_t total_bytes(torch::Device device) { return memory_of(device).total; }

void keep_freed_memory() {
  constexpr int k_mebibyte = 1 << 20;
  ::mallopt(M_TRIM_THRESHOLD, 256 * k_mebibyte);
  ::mallopt(M_TOP_PAD, 16 * k_mebibyte);
  ::mallopt(M_MMAP_THRESHOLD, 32 * k_mebibyte);  // glibc's limit
}

std::uint64_t resident_bytes() {
  std::ifstream table("/proc/self/statm");
  std::uint64_t mapped = 0, resident = 0;
  if (!(table >> mapped >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace trainer
