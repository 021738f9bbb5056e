#include "manifest/tables/clip_rows.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "common/error.hpp"
#include "common/python_text.hpp"

namespace manifest {
namespace {

void refuse_twice(const TableRow& first, const TableRow& second, const std::string& what,
                  const std::string& table) {
  refuse_row(table, second.where, what + " stands in " + first.where + " too");
}

std::vector<ClipEntry> by_number(std::vector<TableRow> rows, const SoundSet& data_set,
                                 const std::string& table, RowFaults& faults) {
  std::stable_sort(rows.begin(), rows.end(),
                   [](const TableRow& a, const TableRow& b) { return *a.number < *b.number; });
  std::vector<ClipEntry> clips;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0 && rows[i].number == rows[i - 1].number)
      faults.row([&] {
        refuse_twice(
            rows[i - 1], rows[i],
            "the " + std::string(data_set.columns.caption_id) + " " + std::to_string(*rows[i].number), table);
      });
    clips.push_back(std::move(rows[i].clip));
  }
  return clips;
}

// Rows that name nothing but the clip are captions of the clip.
std::vector<ClipEntry> by_name(std::vector<TableRow> rows, const std::string& table, RowFaults& faults) {
  std::vector<TableRow> kept;
  std::unordered_map<std::string, std::size_t> place_of;
  for (TableRow& row : rows) {
    const bool nameless = row.clip.caption_id.empty();
    if (nameless) row.clip.caption_id = row.clip.clip_id;
    const auto [at, is_new] = place_of.try_emplace(row.clip.caption_id, kept.size());
    if (is_new) {
      kept.push_back(std::move(row));
      continue;
    }
    ClipEntry& first = kept[at->second].clip;
    if (!nameless || first.start_time_s != row.clip.start_time_s) {
      const TableRow& before = kept[at->second];
      faults.row(
          [&] { refuse_twice(before, row, "the id \"" + row.clip.caption_id.substr(0, 100) + "\"", table); });
      continue;
    }
    first.captions.push_back(std::move(row.clip.caption));
    std::move(row.clip.captions.begin(), row.clip.captions.end(), std::back_inserter(first.captions));
  }
  std::vector<ClipEntry> clips;
  for (TableRow& row : kept) clips.push_back(std::move(row.clip));
  return clips;
}

}  // namespace

std::optional<std::uint64_t> number_in(std::string_view digits) {
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc() && at == end ? std::optional(number) : std::nullopt;
}

std::optional<double> parse_start(const std::string& text, const std::string& table,
                                  const std::string& where) {
  if (text.empty()) return std::nullopt;
  double start_s = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), start_s);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(start_s) || start_s < 0)
    refuse_row(table, where,
               "the start_time \"" + text.substr(0, 100) + "\" is not a number of seconds, 0 or more");
  return start_s;
}

void check_row(const TableRow& row, const SoundSet& data_set, const std::string& table) {
  const std::string& id = row.clip.clip_id;
  if (const std::string why = data_set.why_not_a_clip(id); !why.empty())
    refuse_row(table, row.where,
               "the " + std::string(data_set.columns.clip) + " \"" + id.substr(0, 100) +
                   "\" cannot be a file name: " + why);
  const auto is_empty = [](const std::string& caption) { return common::python_strip(caption).empty(); };
  if (is_empty(row.clip.caption) || std::any_of(row.clip.captions.begin(), row.clip.captions.end(), is_empty))
    refuse_row(table, row.where, "the caption is empty");
}

std::vector<ClipEntry> in_order(std::vector<TableRow> rows, const SoundSet& data_set,
                                const std::string& table, RowFaults& faults) {
  const auto has_number = [](const TableRow& row) { return row.number.has_value(); };
  const auto odd = std::find_if(rows.begin(), rows.end(), [&](const TableRow& row) {
    return has_number(row) != has_number(rows.front());
  });
  if (odd == rows.end())
    return rows.empty() || has_number(rows.front()) ? by_number(std::move(rows), data_set, table, faults)
                                                    : by_name(std::move(rows), table, faults);
  const TableRow& with = has_number(*odd) ? *odd : rows.front();
  const TableRow& without = has_number(*odd) ? rows.front() : *odd;
  faults.row([&] {
    refuse_row(table, without.where,
               "there is no numeric " + std::string(data_set.columns.caption_id) + ", and " + with.where +
                   " has one");
  });
  return {};
}

}  // namespace manifest
