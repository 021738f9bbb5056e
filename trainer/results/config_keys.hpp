// Names in a run's config.json.
#pragma once

#include <array>
#include <string_view>

namespace trainer {

inline constexpr const char* k_config_name = "config.json";
inline constexpr const char* k_config_digest = "config_digest";
inline constexpr const char* k_feature_cache = "feature_cache";  // {"used": n, "computed": n}
inline constexpr const char* k_resumed_at = "resumed_at_steps";  // a list, empty where it never was
// Facts of one run, which config_digest does not cover: it is the SHA-256 of the line without them.
inline constexpr std::array<std::string_view, 4> k_outside_digest = {k_config_digest, "output_dir",
                                                                     k_feature_cache, k_resumed_at};

}  // namespace trainer
