#include "manifest/audiocaps_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/path.hpp"
#include "common/python_text.hpp"
#include "manifest/csv.hpp"

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
      csv.fail("the column " + wanted + " stands twice");
    const auto found = std::find(header.begin(), header.end(), wanted);
    if (found == header.end())
      csv.fail("there is no column " + wanted + " (needed: audiocap_id, youtube_id, start_time, caption)");
    columns[i] = static_cast<std::size_t>(found - header.begin());
  }
  return columns;
}

std::uint64_t parse_id(const std::string& text, const CsvReader& csv) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size())
    csv.fail("the audiocap_id \"" + text.substr(0, 100) + "\" is not a number");
  return id;
}

std::optional<double> parse_start(const std::string& text, const CsvReader& csv) {
  if (text.empty()) return std::nullopt;
  double start_s = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), start_s);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(start_s) || start_s < 0)
    csv.fail("the start_time \"" + text.substr(0, 100) + "\" is not a number of seconds, 0 or more");
  return start_s;
}

void check_youtube_id(const std::string& id, const CsvReader& csv) {
  std::string why = common::why_not_a_pack_path(id);
  if (why.empty() && id.find('/') != std::string::npos) why = "it holds a '/'";
  if (!why.empty()) csv.fail("the youtube_id \"" + id.substr(0, 100) + "\" cannot be a file name: " + why);
}

ClipEntry parse_row(const std::vector<std::string>& fields, const Columns& columns, const CsvReader& csv) {
  ClipEntry clip;
  clip.audiocap_id = fields[columns[k_audiocap_id]];
  clip.youtube_id = fields[columns[k_youtube_id]];
  clip.start_time_s = parse_start(fields[columns[k_start_time]], csv);
  clip.caption = fields[columns[k_caption]];
  check_youtube_id(clip.youtube_id, csv);
  if (common::python_strip(clip.caption).empty()) csv.fail("the caption is empty");
  return clip;
}

}  // namespace

std::vector<ClipEntry> parse_audiocaps_table(std::string_view text, const std::string& name) {
  CsvReader csv(text, name);
  std::vector<std::string> fields;
  if (!csv.next(fields)) csv.fail("the table is empty");
  const Columns columns = find_columns(fields, csv);
  const std::size_t width = fields.size();

  struct Numbered {
    ClipEntry clip;
    std::size_t line = 0;
  };
  std::map<std::uint64_t, Numbered> rows;
  while (csv.next(fields)) {
    if (fields.size() != width)
      csv.fail("the row has " + std::to_string(fields.size()) + " fields, the header " +
               std::to_string(width));
    const std::uint64_t id = parse_id(fields[columns[k_audiocap_id]], csv);
    const auto [place, is_new] = rows.try_emplace(id);
    if (!is_new)
      csv.fail("the audiocap_id " + std::to_string(id) + " stands in line " +
               std::to_string(place->second.line) + " too");
    place->second = {parse_row(fields, columns, csv), csv.line()};
  }
  std::vector<ClipEntry> clips;
  clips.reserve(rows.size());
  for (auto& [id, row] : rows) clips.push_back(std::move(row.clip));
  return clips;
}

std::vector<ClipEntry> read_audiocaps_table(const std::filesystem::path& path) {
  return parse_audiocaps_table(common::read_text(path, k_table_limit_bytes), path.string());
}

}  // namespace manifest
