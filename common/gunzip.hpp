// A gzip file in memory, for tables and other texts that people keep compressed.
#pragma once

#include <string>

#include "common/bytes.hpp"

namespace common {

// By its first bytes.
[[nodiscard]] bool is_gzip(ByteView bytes);
// What it holds, of one member or several; zeros behind the last are padding. Throws a format error, which
// begins with `name`, where it is damaged, cut short, or holds more than `limit_bytes`.
[[nodiscard]] std::string gunzip(ByteView bytes, const std::string& name, std::uint64_t limit_bytes);

}  // namespace common
