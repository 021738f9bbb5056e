// JSON in, JSON out. Reading is stricter than the standard asks: a duplicate key, an integer beyond 64 bits
// (but for a seed's), a lone surrogate or nesting deeper than k_depth_limit is an error, because each would
// change meaning silently. Writing gives the bytes of CPython's json.dumps, which the Python original's files
// are made of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace common {

// Keys keep their order: the order is part of our files.
using Json = nlohmann::ordered_json;

inline constexpr int k_depth_limit = 64;

// `name` (a path, usually) begins every error message, followed by the byte offset.
[[nodiscard]] Json parse_json(std::string_view text, const std::string& name);
[[nodiscard]] Json read_json(const std::filesystem::path& path, std::uint64_t limit_bytes);

// json.dumps(value, indent=2): non-ASCII escaped, floats as Python's repr, no final newline. `level`: how
// deep the value lies in the text that it is a part of.
[[nodiscard]] std::string dump_pretty(const Json& value, int level = 0);
// json.dumps(value): one line, ", " and ": ".
[[nodiscard]] std::string dump_line(const Json& value);
// Python's repr of a float: shortest digits that read back, "30.0", "1e-05", "1e+16".
[[nodiscard]] std::string python_repr(double value);

// Members, with errors that name the file and the key. `where` is "<file>: entry 12".
[[nodiscard]] const Json& member(const Json& object, const char* key, const std::string& where);
[[nodiscard]] std::string string_member(const Json& object, const char* key, const std::string& where);
[[nodiscard]] std::int64_t integer_member(const Json& object, const char* key, const std::string& where);
[[nodiscard]] double number_member(const Json& object, const char* key, const std::string& where);
[[nodiscard]] const Json& array_member(const Json& object, const char* key, const std::string& where);

// An integer beyond 64 bits, which only the key "seed" may have: Python's seeds are of any size. `digits` and
// the result are decimal, with a minus where it is negative.
[[nodiscard]] Json integer_of_any_size(const std::string& digits);
[[nodiscard]] std::string digits_member(const Json& object, const char* key, const std::string& where);

// Throws where `object` is none, or has a member that is not among `known`.
void refuse_other_members(const Json& object, std::initializer_list<std::string_view> known,
                          const std::string& where);

}  // namespace common
