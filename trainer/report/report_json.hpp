// report.json: the comparison for a machine. It names the bytes of every run and holds no path, so that one
// set of runs has one report.json wherever it lies.
#pragma once

#include "common/json.hpp"
#include "trainer/report/comparison.hpp"

namespace trainer {

[[nodiscard]] common::Json to_json(const Comparison& comparison);

}  // namespace trainer
