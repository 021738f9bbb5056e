// The learning rate as a pure function of the step.
#pragma once

#include <cstdint>

namespace trainer {

// Linear from 1/warmup at step 1 to 1 at step `warmup`, then a cosine to 0 at step `total`. Steps count
// from 1.
[[nodiscard]] double schedule_factor(std::int64_t step, std::int64_t total, std::int64_t warmup);
// clamp(min(1000, floor(total / 10)), 1, total), the Python original's rule.
[[nodiscard]] std::int64_t warmup_steps(std::int64_t total);

}  // namespace trainer
