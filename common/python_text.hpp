// str.strip() and str.lower() of Python 3, on UTF-8. Both know all of Unicode: a no-break space is stripped,
// 'İ' lowers to two code points, and a sigma that ends a word to its final form.
#pragma once

#include <string>
#include <string_view>

namespace common {

// Py_UNICODE_ISSPACE: bidirectional class WS, B or S, or category Zs. ICU's u_isUWhiteSpace lacks
// U+001C..U+001F.
[[nodiscard]] bool is_python_space(char32_t c);

// `text` must be valid UTF-8.
[[nodiscard]] std::string_view python_strip(std::string_view text);
[[nodiscard]] std::string python_lower(std::string_view text);

}  // namespace common
