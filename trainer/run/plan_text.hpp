// A plan as people and as machines read it.
#pragma once

#include <string>

#include "common/json.hpp"
#include "trainer/run/plan.hpp"

namespace trainer {

// "14.00 GB", or below one "12.5 MB".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
[[nodiscard]] common::Json to_json(const Plan& plan);
[[nodiscard]] std::string text_of(const Plan& plan, const PlanInputs& inputs);

}  // namespace trainer
