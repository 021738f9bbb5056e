// What a reader must know before believing a comparison.
#pragma once

#include <string>
#include <vector>

#include "trainer/report/comparison.hpp"

namespace trainer {

// One sentence each, without a full stop. Looks at the runs, the groups and their estimates.
[[nodiscard]] std::vector<std::string> warnings_about(const Comparison& comparison);

}  // namespace trainer
