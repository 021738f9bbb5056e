// What most files include, compiled once. No file may count on it: the sanitizer builds compile common/,
// manifest/ and packer/ without, and CI each file that changed lately by itself.
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
