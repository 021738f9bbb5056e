#include "manifest/tables/clip_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "common/error.hpp"
#include "common/json.hpp"

namespace manifest {
namespace {

using common::Json;
using Keys = std::span<const std::string_view>;

// Tables fill columns that have nothing to say with null, "" or [].
bool says_something(const Json& value) {
  return value.is_string() ? !value.get_ref<const std::string&>().empty() : !value.empty();
}

// Reads one row; `row` and the names outlive it.
class RowReader {
 public:
  RowReader(const Json& row, const SoundSet& data_set, const std::string& table, std::string where)
      : row_(row), data_set_(data_set), keys_(*data_set.keys), table_(table), where_(std::move(where)) {}

  [[nodiscard]] TableRow read() const {
    if (!row_.is_object()) fail(std::string("a row must be an object, found ") + row_.type_name());
    TableRow row;
    row.where = where_;
    row.clip.clip_id = clip_id();
    row.clip.start_time_s = start();
    std::vector<std::string> captions = all_captions();
    row.clip.caption = captions.front();
    row.clip.captions.assign(captions.begin() + 1, captions.end());
    name(row);
    check_row(row, data_set_, table_);
    return row;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { refuse_row(table_, where_, what); }

  // The first of `keys` that says something in the row or else in its metadata, or null.
  [[nodiscard]] const Json* find(Keys keys) const {
    const auto metadata = row_.find("metadata");
    for (const std::string_view key : keys)
      for (const Json* object : {&row_, metadata == row_.end() ? nullptr : &*metadata})
        if (object != nullptr && object->is_object())
          if (const auto at = object->find(key); at != object->end() && says_something(*at)) return &*at;
    return nullptr;
  }

  [[nodiscard]] const Json* find(std::string_view key) const { return find(Keys(&key, 1)); }

  [[nodiscard]] std::string clip_id() const {
    const std::string column(data_set_.columns.clip);
    const Json* id = find(keys_.clip);
    if (id == nullptr)
      fail(fmt::format("there is no {} (looked for {}, in the row and in its metadata)", column,
                       fmt::join(keys_.clip, " and ")));
    if (!id->is_string()) fail(fmt::format("the {} must be a string, found {}", column, id->type_name()));
    return id->get<std::string>();
  }

  [[nodiscard]] std::optional<double> start() const {
    const Json* start = find(data_set_.columns.start);
    if (start == nullptr) return std::nullopt;
    if (start->is_string()) return parse_start(start->get<std::string>(), table_, where_);
    if (!start->is_number())
      fail(std::string("the start_time must be a number of seconds, found ") + start->type_name());
    return parse_start(common::python_repr(start->get<double>()), table_, where_);
  }

  [[nodiscard]] std::vector<std::string> all_captions() const {
    const Json* found = find(keys_.captions);
    if (found == nullptr)
      fail(fmt::format("there is no caption (looked for {})", fmt::join(keys_.captions, ", ")));
    const auto text = [&](const Json& value) {
      if (!value.is_string())
        fail(std::string("a caption must be a text or a list of texts, found ") + value.type_name());
      return value.get<std::string>();
    };
    if (!found->is_array()) return {text(*found)};
    std::vector<std::string> captions;
    for (const Json& value : *found) captions.push_back(text(value));
    return captions;
  }

  void name(TableRow& row) const {
    const Json* own = find(data_set_.columns.caption_id);
    const Json* id = own != nullptr ? own : find("id");
    if (id == nullptr) return;
    if (!id->is_string() && !id->is_number_integer())
      fail(std::string("the id must be a number or a string, found ") + id->type_name());
    row.clip.caption_id = id->is_string() ? id->get<std::string>() : id->dump();
    std::string_view digits = row.clip.caption_id;
    // Converters call rows "audiocaps_train_91139". A clip's name may end with "_7" too, and is no number.
    if (own == nullptr && digits.starts_with(keys_.row_prefix)) digits.remove_prefix(digits.rfind('_') + 1);
    row.number = number_in(digits);
    if (own != nullptr && !row.number)
      fail(fmt::format("the {} \"{}\" is not a number", data_set_.columns.caption_id,
                       row.clip.caption_id.substr(0, 100)));
    if (row.number) row.clip.caption_id = digits;
  }

  const Json& row_;
  const SoundSet& data_set_;
  const ClipKeys& keys_;
  const std::string& table_;
  std::string where_;
};

}  // namespace

std::vector<TableRow> parse_json_table(std::string_view text, const SoundSet& data_set,
                                       const std::string& table, RowFaults& faults) {
  const Json root = common::parse_json(text, table);
  const Json* list = root.is_array() ? &root : nullptr;
  if (root.is_object())
    if (const auto at = root.find("data"); at != root.end() && at->is_array()) list = &*at;
  if (list == nullptr)
    throw common::Error(
        common::ErrorKind::format,
        fmt::format("{} is not a table of {}: expected a list of rows, or an object with the list "
                    "\"data\"; name another file",
                    table, data_set.title));
  std::vector<TableRow> rows;
  std::size_t number = 0;
  for (const Json& row : *list) {
    const std::string where = "row " + std::to_string(++number);
    faults.row([&] { rows.push_back(RowReader(row, data_set, table, where).read()); });
  }
  return rows;
}

std::vector<TableRow> parse_jsonl_table(std::string_view text, const SoundSet& data_set,
                                        const std::string& table, RowFaults& faults) {
  std::vector<TableRow> rows;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string where = "line " + std::to_string(++number);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    faults.row([&] {
      rows.push_back(
          RowReader(common::parse_json(line, table + ", " + where), data_set, table, where).read());
    });
  }
  return rows;
}

}  // namespace manifest
