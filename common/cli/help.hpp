// What --help prints: one layout for every program and verb. Each flag has its value, what it does and its
// default.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/cli/verb.hpp"

namespace common {

[[nodiscard]] std::string help_of(const std::string& program, const Verb& verb);
// The verbs in a line each, and the exit codes that any of them has.
[[nodiscard]] std::string help_of(const std::string& program, const std::string& about,
                                  const std::vector<std::unique_ptr<Verb>>& verbs);
// "  --seed N  Seed of the choice (default: 42)", over several lines.
[[nodiscard]] std::string help_of(const Flag& flag);

}  // namespace common
