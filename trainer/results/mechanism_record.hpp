// What a run's config.json says of its retention mechanisms: "retention" has an object for each, with its
// title and its settings, or null where it is off. Readers know no mechanism by name but those that the
// original had.
#pragma once

#include <string>
#include <vector>

#include "common/json.hpp"

namespace trainer {

struct MechanismRecord {
  std::string key;        // "null_space", also in history.jsonl and metrics.json
  std::string title;      // "null space"; of runs that have none, the key in words
  common::Json settings;  // without the title
};

// Those that are on, in the order of the file; none of a config.json without "retention". A weight of 0 is
// off.
[[nodiscard]] std::vector<MechanismRecord> mechanisms_in(const common::Json& config);
[[nodiscard]] bool has_mechanism(const common::Json& config, const std::string& key);
// 0 where it is off.
[[nodiscard]] double kl_weight_of(const common::Json& config);

}  // namespace trainer
