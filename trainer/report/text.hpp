// The comparison as plain text: blocks of one line per group, columns aligned, "-" where there is no value.
#pragma once

#include <string>

#include "trainer/report/comparison.hpp"

namespace trainer {

[[nodiscard]] std::string to_text(const Comparison& comparison);

}  // namespace trainer
