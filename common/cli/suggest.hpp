// What somebody probably meant who typed a name that does not exist.
#pragma once

#include <string>
#include <vector>

namespace common {

// The name that is nearest to `typed`, or nothing where none is near. '_' counts as '-', letters of either
// case as one.
[[nodiscard]] std::string nearest(const std::string& typed, const std::vector<std::string>& names);

// "; did you mean --subset-size?", or nothing.
[[nodiscard]] std::string suggestion(const std::string& typed, const std::vector<std::string>& names);

}  // namespace common
