// One run, from configuration to a sealed run directory.
#pragma once

#include <filesystem>
#include <memory>

#include "trainer/distributed/process_group.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/train/config.hpp"
#include "trainer/train/train.hpp"

namespace trainer {

struct RunResult {
  std::filesystem::path directory;
  common::Digest digest;  // of the run's SHA256SUMS
  Metrics metrics;
};

// resume: goes on with the newest unfinished run of the same configuration, gives a finished one back, or
// starts one. An io error where another process works on that run.
enum class Resume { fresh, resume };

// Opens pack and base, trains, evaluates, writes and seals. The directory is made only once pack, base and
// configuration are known to be good. Every process of `group` calls it alike; the first writes and has the
// result, the others have an empty one.
RunResult run_experiment(RunConfig config, Resume resume,
                         std::shared_ptr<const ProcessGroup> group = std::make_shared<const ProcessGroup>());

}  // namespace trainer
