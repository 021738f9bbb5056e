// What most files include, compiled once. No file may count on it: a build with
// CMAKE_DISABLE_PRECOMPILE_HEADERS=ON has to pass too.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>
