#include "trainer/model/memory.hpp"

#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

namespace trainer {
namespace {

namespace fs = std::filesystem;

int processes_here = 1;

std::optional<std::uint64_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

std::uint64_t number_of(const fs::path& path, std::string_view wanted) {
  std::ifstream file(path);
  std::string name;
  for (std::uint64_t number = 0; file >> name >> number;)
    if (name == wanted) return number;
  return 0;
}

// The names of the same things in the two versions of control groups.
struct GroupFiles {
  const char *limit, *used, *unused_pages;
};
constexpr GroupFiles k_version_2 = {"memory.max", "memory.current", "inactive_file"};
constexpr GroupFiles k_version_1 = {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};

// The least that any group from `path` up to `root` leaves. One without a limit says "max", or a number that
// is no memory's.
std::optional<Memory> least_of(fs::path path, const fs::path& root, const GroupFiles& files) {
  constexpr std::uint64_t k_no_limit = std::uint64_t{1} << 60;
  std::optional<Memory> least;
  for (;; path = path.parent_path()) {
    const auto limit = number_in(path / files.limit), used = number_in(path / files.used);
    if (limit && used && *limit < k_no_limit) {
      const std::uint64_t held = *used - std::min(*used, number_of(path / "memory.stat", files.unused_pages));
      const Memory here{*limit - std::min(*limit, held), *limit};
      if (!least) least = here;
      least = {std::min(least->free, here.free), std::min(least->total, here.total)};
    }
    if (path == root || !path.has_relative_path()) return least;
  }
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
  std::ifstream groups("/proc/self/cgroup");
  const std::string membership(std::istreambuf_iterator<char>(groups), {});
  if (const std::optional<Memory> group = group_memory(membership))
    memory = {std::min(memory.free, group->free), std::min(memory.total, group->total)};
  memory.free /= static_cast<std::uint64_t>(processes_here);
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

void share_host_memory(int processes) { processes_here = std::max(processes, 1); }

std::optional<Memory> group_memory(const std::string& membership, const fs::path& root) {
  std::istringstream lines(membership);
  std::optional<Memory> least;
  for (std::string line; std::getline(lines, line);) {
    // "0::/path" of version 2, "4:memory:/path" of version 1.
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controller = line.substr(first + 1, second - first - 1);
    const fs::path path = fs::path(line.substr(second + 1)).relative_path();
    const bool is_second = controller.empty();
    if (!is_second && controller != "memory") continue;
    const fs::path top = is_second ? root : root / "memory";
    const std::optional<Memory> here =
        least_of((top / path).lexically_normal(), top, is_second ? k_version_2 : k_version_1);
    if (here && (!least || here->free < least->free)) least = here;
  }
  return least;
}

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
