// Why --resume found nothing to go on with: the settings in which the newest run of the same variant, name
// and seed is another one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/json.hpp"
#include "trainer/train/config.hpp"

namespace trainer {

// "num_epochs: 150 there, 151 here", all of them, separated by "; ". Nothing where the two are the same
// run's.
[[nodiscard]] std::string differences(const common::Json& there, const common::Json& here);

// Says so on standard error, unless quiet; nothing where there is no such run. One that was begun in another
// --dtype, or by other kernels (--arithmetic), is a mismatch error.
void say_what_differs(const RunConfig& config, const common::Json& record);

}  // namespace trainer
