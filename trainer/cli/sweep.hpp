// Many runs from one JSON file: every condition with every seed, each a run directory of its own.
//
//   {
//     "run":        {"num-epochs": 96, "lr-adapter": 5e-3},           flags of `safe-trainer run`, for all
//     "seeds":      [42, 43, 44],
//     "conditions": [{"name": "KL alone", "variant": "no_retention", "kl-weight": 0.1}, ...]
//   }
//
// A value is the text or number behind its flag; true gives the flag alone. Runs that are there already are
// verified and kept, one that was stopped goes on, so the same command again is how a sweep resumes.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "trainer/cli/run_flags.hpp"
#include "trainer/run/run.hpp"

namespace trainer {

struct SweepRun {
  std::string name;
  std::int64_t seed = 0;
  RunConfig config;
};

// All runs, seed by seed, so that a sweep that is cut short has compared something. `overrides`, from flags
// of `run` without their dashes to values, win over the file. A usage error for what is no flag; a format
// error for a file of another shape.
[[nodiscard]] std::vector<SweepRun> read_sweep(const std::filesystem::path& path,
                                               const std::map<std::string, std::string>& overrides);

}  // namespace trainer
