// str.strip() and str.lower() of Python 3, on UTF-8. Both know all of Unicode: a no-break space is stripped,
// 'İ' lowers to two code points, and a sigma that ends a word to its final form.
#pragma once

#include <string>
#include <string_view>

namespace manifest {

// `text` must be valid UTF-8.
[[nodiscard]] std::string_view python_strip(std::string_view text);
[[nodiscard]] std::string python_lower(std::string_view text);

}  // namespace manifest
