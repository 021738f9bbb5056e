// A table of clips as JSON and JSONL, for data sets that say which keys are read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest/tables/clip_rows.hpp"

namespace manifest {

// The rows of a JSON or JSONL table, as they stand.
[[nodiscard]] std::vector<TableRow> parse_json_table(std::string_view text, const SoundSet& data_set,
                                                     const std::string& table, RowFaults& faults);
[[nodiscard]] std::vector<TableRow> parse_jsonl_table(std::string_view text, const SoundSet& data_set,
                                                      const std::string& table, RowFaults& faults);

}  // namespace manifest
