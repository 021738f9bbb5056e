#include "trainer/cli/in_group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <thread>
#include <vector>

#include "common/error.hpp"
#include "common/parallel.hpp"

namespace trainer {
namespace {

// Before CUDA is first asked. Where SLURM gives each task one GPU, that is the one it sees.
void take_own_gpu(const World& world) {
  if (world.local_size == 1) return;
  const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES");
  std::string own = std::to_string(world.local_rank);
  if (visible != nullptr) {
    std::vector<std::string> devices;
    std::istringstream list(visible);
    for (std::string one; std::getline(list, one, ',');) devices.push_back(one);
    if (devices.size() < 2 || static_cast<std::size_t>(world.local_rank) >= devices.size()) return;
    own = devices[static_cast<std::size_t>(world.local_rank)];
  }
  ::setenv("CUDA_VISIBLE_DEVICES", own.c_str(), 1);
}

}  // namespace

int in_group(const std::function<int(const std::shared_ptr<const ProcessGroup>& group)>& body) {
  const World world = world_of_environment();
  if (world.size == 1) return body(std::make_shared<const ProcessGroup>());
  take_own_gpu(world);
  const auto group = std::make_shared<ProcessGroup>(world);
  try {
    const int code = body(group);
    group->finish();
    return code;
  } catch (const common::Error& error) {
    group->fail(common::exit_code(error.kind()));
    if (group->is_first()) throw;
    throw common::Error(error.kind(), fmt::format("rank {}: {}", group->rank(), error.what()));
  } catch (const std::exception&) {
    group->fail(common::exit_code(common::ErrorKind::io));
    throw;
  }
}

unsigned threads_of(const ProcessGroup& group, unsigned asked) {
  if (asked != 0 || group.local_size() == 1) return asked;
  const unsigned usable = common::thread_count(0);
  if (usable < std::thread::hardware_concurrency()) return usable;  // bound to some of them
  return std::max(usable / static_cast<unsigned>(group.local_size()), 1U);
}

void require_one_process(const char* verb) {
  if (const World world = world_of_environment(); world.size > 1)
    throw common::Error(
        common::ErrorKind::usage,
        fmt::format("{} is the work of one process, and {} were started; start one (srun -n 1), or "
                    "unset WORLD_SIZE",
                    verb, world.size));
}

}  // namespace trainer
