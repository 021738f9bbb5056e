#include "manifest/tables/clip_table.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "common/python_text.hpp"
#include "manifest/tables/clip_json.hpp"
#include "manifest/tables/clip_rows.hpp"
#include "manifest/tables/csv.hpp"
#include "manifest/tables/table_text.hpp"

namespace manifest {
namespace {

using Names = std::vector<std::string_view>;
using Fields = std::vector<std::string>;

constexpr char k_separators[] = {',', '\t', ';'};

Names wanted_of(const SoundSet& data_set) {
  Names names;
  for (const std::string_view name :
       {data_set.columns.caption_id, data_set.columns.clip, data_set.columns.start})
    if (!name.empty()) names.push_back(name);
  names.insert(names.end(), data_set.columns.captions.begin(), data_set.columns.captions.end());
  return names;
}

Fields header_of(std::string_view text, const std::string& name, char separator) {
  CsvReader csv(text, name, separator);
  Fields fields;
  try {
    (void)csv.next(fields);
  } catch (const common::Error&) {
    fields.clear();
  }
  return fields;
}

bool has_all(const Fields& header, const Names& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](std::string_view name) {
    return std::find(header.begin(), header.end(), name) != header.end();
  });
}

// The one separator by which the header holds what is wanted; nothing where there is not exactly one.
std::optional<char> separator_of(std::string_view text, const std::string& name, const Names& wanted) {
  std::optional<char> found;
  for (const char separator : k_separators) {
    if (!has_all(header_of(text, name, separator), wanted)) continue;
    if (found) return std::nullopt;
    found = separator;
  }
  return found;
}

// A table in CSV, row by row, by the names of its columns.
class CsvTable {
 public:
  CsvTable(std::string_view text, const std::string& name, const Names& wanted)
      : csv_(text, name, separator_of(text, name, wanted).value_or(',')), wanted_(wanted) {
    if (!csv_.next(fields_)) csv_.fail("the table is empty");
    for (const std::string_view name_of_column : wanted_) find(std::string(name_of_column));
    width_ = fields_.size();
  }
  // Calls `take` once for each row that has as many fields as the header.
  template <typename Take>
  void rows(RowFaults& faults, const Take& take) {
    bool more = true;
    while (more) {
      faults.row([&] {
        more = csv_.next(fields_);
        if (!more) return;
        if (fields_.size() != width_)
          csv_.fail("the row has " + std::to_string(fields_.size()) + " fields, the header " +
                    std::to_string(width_));
        take();
      });
    }
  }
  // Of the row, by the place of the column's name in what was wanted.
  [[nodiscard]] const std::string& operator[](std::size_t wanted) const { return fields_[columns_[wanted]]; }
  [[nodiscard]] std::string where() const { return "line " + std::to_string(csv_.line()); }
  [[noreturn]] void fail(const std::string& what) const { csv_.fail(what); }

 private:
  void find(const std::string& wanted) {
    if (std::count(fields_.begin(), fields_.end(), wanted) > 1)
      csv_.fail("the column " + wanted + " is there twice");
    const auto found = std::find(fields_.begin(), fields_.end(), wanted);
    if (found == fields_.end()) {
      std::string all;
      for (const std::string_view name : wanted_) all.append(all.empty() ? "" : ", ").append(name);
      csv_.fail("there is no column " + wanted + " (needed: " + all + ")");
    }
    columns_.push_back(static_cast<std::size_t>(found - fields_.begin()));
  }

  CsvReader csv_;
  Names wanted_;
  Fields fields_;
  std::vector<std::size_t> columns_;
  std::size_t width_ = 0;
};

// Also "7.0": pandas writes a column of numbers so where one of them is missing.
std::optional<std::uint64_t> number_of(std::string_view text) {
  if (text.ends_with(".0")) text.remove_suffix(2);
  return number_in(text);
}

TableRow parse_row(const CsvTable& table, const SoundSet& data_set, const std::string& name) {
  TableRow row;
  row.where = table.where();
  std::size_t at = 0;
  if (!data_set.columns.caption_id.empty()) {
    const std::string& id = table[at++];
    row.number = number_of(id);
    if (!row.number)
      table.fail("the " + std::string(data_set.columns.caption_id) + " \"" + id.substr(0, 100) +
                 "\" is not a number");
    row.clip.caption_id = id.ends_with(".0") ? id.substr(0, id.size() - 2) : id;
  }
  row.clip.clip_id = table[at++];
  if (!data_set.columns.start.empty()) row.clip.start_time_s = parse_start(table[at++], name, row.where);
  row.clip.caption = table[at++];
  for (std::size_t i = 1; i < data_set.columns.captions.size(); ++i) row.clip.captions.push_back(table[at++]);
  check_row(row, data_set, name);
  return row;
}

std::vector<TableRow> parse_csv_table(std::string_view text, const SoundSet& data_set,
                                      const std::string& name, RowFaults& faults) {
  CsvTable table(text, name, wanted_of(data_set));
  std::vector<TableRow> rows;
  // Two captions in one table may say the same, but two rows of a clip there cannot.
  const bool is_one_a_clip = data_set.columns.caption_id.empty();
  std::unordered_map<std::string, std::string> seen;
  table.rows(faults, [&] {
    TableRow row = parse_row(table, data_set, name);
    if (is_one_a_clip)
      if (const auto [at, is_new] = seen.emplace(row.clip.clip_id, row.where); !is_new)
        refuse_row(name, row.where,
                   "the " + std::string(data_set.columns.clip) + " stands in " + at->second + " too");
    rows.push_back(std::move(row));
  });
  return rows;
}

const SoundSet& set_of_text(std::string_view text, const std::string& name, TableForm form) {
  if (form == TableForm::csv)
    for (const SoundSet* known : sound_sets())
      if (separator_of(text, name, wanted_of(*known))) return *known;
  return original_sound_set();
}

}  // namespace

TableForm table_form(const std::filesystem::path& path) {
  std::filesystem::path name = path.filename();
  if (name.extension() == ".gz") name = name.stem();
  if (name.extension() == ".json") return TableForm::json;
  return name.extension() == ".jsonl" ? TableForm::jsonl : TableForm::csv;
}

std::vector<ClipEntry> parse_clip_table(std::string_view text, const std::string& name, TableForm form,
                                        const SoundSet& data_set) {
  if (form != TableForm::csv && !data_set.keys)
    throw common::Error(
        common::ErrorKind::format,
        name + " is JSON, and tables of " + std::string(data_set.title) + " are read as CSV; name that");
  RowFaults faults(name);
  std::vector<TableRow> rows = form == TableForm::json    ? parse_json_table(text, data_set, name, faults)
                               : form == TableForm::jsonl ? parse_jsonl_table(text, data_set, name, faults)
                                                          : parse_csv_table(text, data_set, name, faults);
  std::vector<ClipEntry> clips = in_order(std::move(rows), data_set, name, faults);
  faults.refuse();
  return clips;
}

const SoundSet* sound_set_of_table(const std::filesystem::path& path) {
  return &set_of_text(read_table_text(path), path.string(), table_form(path));
}

ClipTable read_clip_table(const std::filesystem::path& path, const SoundSet* data_set) {
  const std::string text = read_table_text(path), name = path.string();
  const TableForm form = table_form(path);
  if (data_set == nullptr) data_set = &set_of_text(text, name, form);
  return {data_set, parse_clip_table(text, name, form, *data_set)};
}

std::map<std::string, std::string> add_credits(const std::filesystem::path& path, const SoundSet& data_set,
                                               std::vector<ClipEntry>& rows) {
  const CreditColumns& columns = *data_set.credits;
  const std::string text = read_table_text(path, OtherBytes::windows_1252), name = path.string();
  struct Credits {
    std::string other_id, source, author, licence;
  };
  std::unordered_map<std::string, Credits> of_clip;
  RowFaults faults(name);
  const Names wanted = {columns.clip, columns.other_id, columns.source, columns.author, columns.licence};
  CsvTable table(text, name, wanted);
  const auto stripped = [](const std::string& field) { return std::string(common::python_strip(field)); };
  table.rows(faults, [&] {
    of_clip[stripped(table[0])] = {stripped(table[1]), stripped(table[2]), stripped(table[3]),
                                   stripped(table[4])};
  });
  faults.refuse();
  std::map<std::string, std::string> other_ids;
  for (ClipEntry& row : rows) {
    const auto at = of_clip.find(stripped(row.clip_id));
    if (at == of_clip.end()) continue;
    row.source = at->second.source;
    row.author = at->second.author;
    row.licence = at->second.licence;
    if (!at->second.other_id.empty()) other_ids[row.clip_id] = at->second.other_id;
  }
  return other_ids;
}

}  // namespace manifest
