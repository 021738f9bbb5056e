// What the forms of AudioCaps' tables have in common: rows that are judged and put in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/format/manifest.hpp"

namespace manifest {

// One row as a table has it.
struct TableRow {
  ClipEntry clip;
  std::optional<std::uint64_t> number;  // of its audiocap_id
  std::string where;                    // "line 12", "row 12"
};

// Throws a format error: "<table>, line 12: <what>; correct the table".
[[noreturn]] void refuse_row(const std::string& table, const std::string& where, const std::string& what);

// Decimal digits and nothing else.
[[nodiscard]] std::optional<std::uint64_t> number_in(std::string_view digits);
// A number of seconds; nothing where `text` is empty.
[[nodiscard]] std::optional<double> parse_start(const std::string& text, const std::string& table,
                                                const std::string& where);
// Judges what every form must hold: a clip that can be a file name, captions that say something.
void check_row(const TableRow& row, const std::string& table);

[[nodiscard]] std::vector<ClipEntry> in_order(std::vector<TableRow> rows, const std::string& table);

}  // namespace manifest
