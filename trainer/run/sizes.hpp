// A run on fewer clips or questions than were asked for says so, and its config.json has both numbers.
#pragma once

#include <string>
#include <vector>

#include "common/json.hpp"
#include "trainer/train/config.hpp"
#include "trainer/train/experiment.hpp"

namespace trainer {

// Adds {"used": {"subset_size": 100, "val_size": 60}} to `record` with those of the two that are not what was
// asked for. Gives a warning for each of which less is used than was asked for. Where all is as asked, the
// record stays as it is.
[[nodiscard]] std::vector<std::string> record_sizes(const Selection& selection, const RunConfig& config,
                                                    common::Json& record);

}  // namespace trainer
