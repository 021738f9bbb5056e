// The page's style sheet. It stands in the page itself, and the page's policy allows it by its digest.
#pragma once

#include <string>

namespace trainer {

[[nodiscard]] const std::string& page_style();

}  // namespace trainer
