#include "manifest/tables/audiocaps_table.hpp"

#include <algorithm>
#include <array>

#include "common/file.hpp"
#include "manifest/tables/audiocaps_json.hpp"
#include "manifest/tables/audiocaps_rows.hpp"
#include "manifest/tables/csv.hpp"

namespace manifest {
namespace {

enum Column : std::size_t { k_audiocap_id, k_youtube_id, k_start_time, k_caption, k_column_count };
constexpr std::array<const char*, k_column_count> k_column_names = {"audiocap_id", "youtube_id", "start_time",
                                                                    "caption"};
using Columns = std::array<std::size_t, k_column_count>;

Columns find_columns(const std::vector<std::string>& header, const CsvReader& csv) {
  Columns columns{};
  for (std::size_t i = 0; i < k_column_count; ++i) {
    const std::string wanted = k_column_names[i];
    if (std::count(header.begin(), header.end(), wanted) > 1)
      csv.fail("the column " + wanted + " is there twice");
    const auto found = std::find(header.begin(), header.end(), wanted);
    if (found == header.end())
      csv.fail("there is no column " + wanted + " (needed: audiocap_id, youtube_id, start_time, caption)");
    columns[i] = static_cast<std::size_t>(found - header.begin());
  }
  return columns;
}

TableRow parse_row(const std::vector<std::string>& fields, const Columns& columns, const CsvReader& csv,
                   const std::string& name) {
  TableRow row;
  row.where = "line " + std::to_string(csv.line());
  row.clip.caption_id = fields[columns[k_audiocap_id]];
  row.number = number_in(row.clip.caption_id);
  if (!row.number) csv.fail("the audiocap_id \"" + row.clip.caption_id.substr(0, 100) + "\" is not a number");
  row.clip.clip_id = fields[columns[k_youtube_id]];
  row.clip.start_time_s = parse_start(fields[columns[k_start_time]], name, row.where);
  row.clip.caption = fields[columns[k_caption]];
  check_row(row, name);
  return row;
}

std::vector<TableRow> parse_csv_table(std::string_view text, const std::string& name) {
  CsvReader csv(text, name);
  std::vector<std::string> fields;
  if (!csv.next(fields)) csv.fail("the table is empty");
  const Columns columns = find_columns(fields, csv);
  const std::size_t width = fields.size();
  std::vector<TableRow> rows;
  while (csv.next(fields)) {
    if (fields.size() != width)
      csv.fail("the row has " + std::to_string(fields.size()) + " fields, the header " +
               std::to_string(width));
    rows.push_back(parse_row(fields, columns, csv, name));
  }
  return rows;
}

}  // namespace

TableForm table_form(const std::filesystem::path& path) {
  const std::string suffix = path.extension().string();
  if (suffix == ".json") return TableForm::json;
  return suffix == ".jsonl" ? TableForm::jsonl : TableForm::csv;
}

std::vector<ClipEntry> parse_audiocaps_table(std::string_view text, const std::string& name, TableForm form) {
  switch (form) {
    case TableForm::json:
      return in_order(parse_json_table(text, name), name);
    case TableForm::jsonl:
      return in_order(parse_jsonl_table(text, name), name);
    default:
      return in_order(parse_csv_table(text, name), name);
  }
}

std::vector<ClipEntry> read_audiocaps_table(const std::filesystem::path& path) {
  return parse_audiocaps_table(common::read_text(path, k_table_limit_bytes), path.string(), table_form(path));
}

}  // namespace manifest
