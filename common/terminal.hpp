// Text of strangers on a terminal: names, messages and manifests may hold bytes that a terminal acts on, or
// that show it in another order than it stands. Everything that a program prints goes through here, so that
// no caller can forget it.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace common {

// Control characters (C0, DEL, C1), those that turn the direction of writing, and bytes that are not UTF-8
// become "\x1b" or "\u202e"; a backslash is doubled as "\x5c", so that nothing can pass for an escape. One
// line: line feeds and tabs are escaped too.
[[nodiscard]] std::string escape_for_terminal(std::string_view text);
// The same for a message that may have several lines and may hold escapes already: line feeds, tabs and
// backslashes stay.
[[nodiscard]] std::string escape_message(std::string_view text);

// Writes escape_message(text) and a line feed.
void print_line(std::FILE* to, std::string_view text);

}  // namespace common
