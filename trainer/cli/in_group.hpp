// A verb whose work several processes may share: run, sweep and evaluate under srun or torchrun.
#pragma once

#include <functional>
#include <memory>

#include "trainer/distributed/process_group.hpp"

namespace trainer {

// Runs `body` with the processes that the environment names (world.hpp), and ends them together: where one
// throws, all end with its exit code. Of several processes on one machine each takes a GPU of its own.
int in_group(const std::function<int(const std::shared_ptr<const ProcessGroup>& group)>& body);

// `asked`; where it is 0 and several processes may use the same processors, this one's share of them.
[[nodiscard]] unsigned threads_of(const ProcessGroup& group, unsigned asked);

// A usage error where several processes were started for a verb that has work for one.
void require_one_process(const char* verb);

}  // namespace trainer
