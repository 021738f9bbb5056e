// Text from data into a page: nothing that a question, an answer or a caption holds can become markup.
#pragma once

#include <string>
#include <string_view>

#include "common/bytes.hpp"

namespace trainer {

// Safe as text and inside a quoted attribute. Control characters, which HTML has no way to write, those that
// turn the direction of writing, and bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string escape_html(std::string_view text);
// The other direction, for what escape_html wrote.
[[nodiscard]] std::string unescape_html(std::string_view text);

// RFC 4648, with padding.
[[nodiscard]] std::string base64(common::ByteView bytes);

}  // namespace trainer
