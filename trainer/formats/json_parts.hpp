// JSON of files that other people wrote, read without keeping it: the items of its long lists and objects are
// handed over one by one, and what is kept has a limit. As strict as common/json.hpp, and linear in time; the
// memory is that of the text, of one item, and of what the caller keeps.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.hpp"

namespace trainer {

// `key` is empty for an item of a list.
using TakeItem = std::function<void(const std::string& key, common::Json&& value)>;

struct JsonPart {
  std::vector<std::string> path;  // the keys that lead to it; none: the whole document
  TakeItem take;
};

// How many values may be kept, and how many one item may consist of.
inline constexpr std::size_t k_kept_values_limit = 1 << 16, k_item_values_limit = 1 << 10;

// The document, with an empty list or object for each of `parts`. Two equal keys are refused, but in a part
// that is an object: those are for its `take` to refuse. Format errors name `name`.
[[nodiscard]] common::Json parse_json_parts(std::string_view text, const std::string& name,
                                            const std::vector<JsonPart>& parts);

}  // namespace trainer
