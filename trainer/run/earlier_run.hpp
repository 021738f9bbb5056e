// The run that an earlier call of the same configuration left: --resume goes on with it. Of several processes
// the first looks for it and holds its lock, and the others are told.
#pragma once

#include <filesystem>
#include <optional>

#include "common/sealed/folder.hpp"
#include "common/sealed/lock.hpp"
#include "trainer/distributed/process_group.hpp"
#include "trainer/results/run_directory.hpp"
#include "trainer/run/run.hpp"
#include "trainer/train/checkpoint.hpp"

namespace trainer {

enum class RunState { fresh, unfinished, finished };

struct EarlierRun {
  RunState state = RunState::fresh;
  std::optional<std::filesystem::path> finished;    // in the first process
  std::optional<RunDirectory> unfinished;           // likewise
  std::optional<Checkpoint> checkpoint;             // in all
  std::optional<Kept> kept;                         // the prefixes, likewise
  std::optional<std::int64_t> micro_batch;          // on a GPU, likewise
  common::Json resumed_at = common::Json::array();  // steps, this time included
};

// Of a run that is not there yet, until its directory has a lock of its own: two equal commands that begin
// together would make two.
class RunClaim {
 public:
  // An io error where another process claims it, or has made it since it was looked for.
  RunClaim(const RunConfig& config, const common::Digest& config_digest);

 private:
  common::Folder root_;
  common::Lock lock_;
};

// An io error where another process works on it.
[[nodiscard]] EarlierRun find_earlier_run(const RunConfig& config, Resume resume,
                                          const common::Digest& config_digest, const ProcessGroup& group);

}  // namespace trainer
