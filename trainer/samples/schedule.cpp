#include "trainer/samples/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/error.hpp"

namespace trainer {

double schedule_factor(std::int64_t step, std::int64_t total, std::int64_t warmup) {
  ENSURE(step >= 1 && step <= total);
  if (step <= warmup) return static_cast<double>(step) / static_cast<double>(warmup);
  const double done = static_cast<double>(step - warmup) / static_cast<double>(total - warmup);
  return 0.5 * (1.0 + std::cos(std::numbers::pi * done));
}

std::int64_t warmup_steps(std::int64_t total) {
  return std::clamp(std::min<std::int64_t>(1000, total / 10), std::int64_t{1}, total);
}

}  // namespace trainer
