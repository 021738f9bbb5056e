// A picture made smaller, for pages that show many.
#pragma once

#include "common/media/image.hpp"

namespace common {

// With its longer side at most `limit_side`, at least one pixel each way. A pixel is the mean of what it
// covers, in whole numbers: the same on every machine. A picture that is small enough stays as it is.
[[nodiscard]] Picture scaled_down(const Picture& picture, int limit_side);

}  // namespace common
