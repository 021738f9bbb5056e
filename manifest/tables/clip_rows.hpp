// What the forms of a table of clips have in common: rows that are judged and put in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/datasets/data_set.hpp"
#include "manifest/tables/row_faults.hpp"

namespace manifest {

// One row as a table has it.
struct TableRow {
  ClipEntry clip;
  std::optional<std::uint64_t> number;  // of its caption_id
  std::string where;                    // "line 12", "row 12"
};

// Decimal digits and nothing else.
[[nodiscard]] std::optional<std::uint64_t> number_in(std::string_view digits);
// A number of seconds; nothing where `text` is empty.
[[nodiscard]] std::optional<double> parse_start(const std::string& text, const std::string& table,
                                                const std::string& where);
// Judges what every form must hold: a clip that can be a file name, captions that say something.
void check_row(const TableRow& row, const SoundSet& data_set, const std::string& table);

// Rows that stand in each other's way become faults.
[[nodiscard]] std::vector<ClipEntry> in_order(std::vector<TableRow> rows, const SoundSet& data_set,
                                              const std::string& table, RowFaults& faults);

}  // namespace manifest
