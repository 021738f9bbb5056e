// AudioCaps as JSON and JSONL; audiocaps_table.hpp says which keys are read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest/tables/audiocaps_rows.hpp"

namespace manifest {

// The rows of a JSON or JSONL table, as they stand.
[[nodiscard]] std::vector<TableRow> parse_json_table(std::string_view text, const std::string& table);
[[nodiscard]] std::vector<TableRow> parse_jsonl_table(std::string_view text, const std::string& table);

}  // namespace manifest
