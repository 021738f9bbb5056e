// The one writer of what --json prints. A name or text that is not UTF-8 has no place in JSON: its bytes that
// are not become "\xe9", and everything else is printed, so that a strange name hides nothing.
#pragma once

#include "common/json.hpp"

namespace common {

enum class JsonLayout { pretty, line };

// On stdout, with a line feed.
void print_json(const Json& value, JsonLayout layout);

// The value with the strings and keys that are not UTF-8 replaced.
[[nodiscard]] Json printable(const Json& value);

}  // namespace common
