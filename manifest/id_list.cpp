#include "manifest/id_list.hpp"

#include <algorithm>
#include <array>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "common/json.hpp"
#include "common/python_text.hpp"
#include "common/utf8.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "manifest/tables/csv.hpp"
#include "manifest/tables/table_text.hpp"

namespace manifest {
namespace {

using common::Json;

// Columns and keys that hold ids.
std::vector<std::string> id_keys() {
  std::vector<std::string> keys = {"id", "question_id", "image_id", "image_filename", "clip_id"};
  for (const SoundSet* set : sound_sets()) {
    keys.emplace_back(set->columns.clip);
    if (!set->columns.caption_id.empty()) keys.emplace_back(set->columns.caption_id);
    if (set->keys) keys.insert(keys.end(), set->keys->clip.begin(), set->keys->clip.end());
    if (set->credits) keys.emplace_back(set->credits->other_id);
  }
  return keys;
}

template <typename Take>
void take_json(const Json& value, const std::vector<std::string>& keys, const Take& take) {
  if (value.is_string()) return take(value.get<std::string>());
  if (value.is_number_integer()) return take(value.dump());
  if (value.is_array())
    for (const Json& one : value) take_json(one, keys, take);
  if (!value.is_object()) return;
  const bool is_row =
      std::any_of(keys.begin(), keys.end(), [&](const std::string& key) { return value.contains(key); });
  for (const auto& [key, member] : value.items())
    if (is_row ? std::find(keys.begin(), keys.end(), key) != keys.end()
               : member.is_array() || member.is_object())
      take_json(member, keys, take);
}

// The place of the first column of ids, and the separator by which the header has it.
struct IdColumn {
  std::size_t place = 0;
  char separator = ',';
};
std::optional<IdColumn> id_column(const std::string& text, const std::string& name) {
  const std::vector<std::string> keys = id_keys();
  for (const char separator : {',', '\t', ';'}) {
    CsvReader csv(text, name, separator);
    std::vector<std::string> header;
    try {
      if (!csv.next(header)) return std::nullopt;
    } catch (const common::Error&) {
      continue;
    }
    for (const std::string& key : keys)
      if (const auto at = std::find(header.begin(), header.end(), key); at != header.end())
        return IdColumn{static_cast<std::size_t>(at - header.begin()), separator};
  }
  return std::nullopt;
}

template <typename Take>
void for_each_line(std::string_view text, const Take& take) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    take(line, number);
  }
}

// An id is a word, a number or a file's name.
void refuse_binary_line(std::string_view line, std::size_t number, const std::string& name) {
  constexpr std::size_t k_limit_bytes = 4096;
  const auto refuse = [&](const char* what) {
    throw common::Error(common::ErrorKind::format, name + " is no list of ids: line " +
                                                       std::to_string(number) + what +
                                                       "; name a text with one id a line");
  };
  if (line.size() > k_limit_bytes) refuse(" has more than 4096 bytes");
  if (!common::is_utf8(line)) refuse(" is not UTF-8");
  if (std::any_of(line.begin(), line.end(),
                  [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; }))
    refuse(" holds a control character");
}

}  // namespace

void IdList::add(const std::string& id) {
  if (!id.empty()) met_.try_emplace(id, false);
}

void IdList::add_ids(const std::filesystem::path& path) { add_ids_of(read_table_text(path), path.string()); }

void IdList::add_ids_of(const std::string& text, const std::string& name) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && (text[first] == '[' || text[first] == '{')) {
    take_json(common::parse_json(text, name), id_keys(), [&](const std::string& id) { add(id); });
  } else if (const auto column = id_column(text, name)) {
    CsvReader csv(text, name, column->separator);
    std::vector<std::string> fields;
    (void)csv.next(fields);
    while (csv.next(fields))
      if (column->place < fields.size()) add(fields[column->place]);
  } else {
    for_each_line(text, [&](std::string_view line, std::size_t number) {
      refuse_binary_line(line, number, name);
      const std::string_view id = common::python_strip(line);
      if (!id.starts_with('#')) add(std::string(id));
    });
  }
  if (empty())
    throw common::Error(common::ErrorKind::format,
                        name + " holds no id; name a list with one id a line, a CSV with a column such as " +
                            std::string(original_sound_set().columns.clip) + ", or a JSON list");
}

std::size_t IdList::add_files(const std::filesystem::path& path) {
  const std::string text = read_table_text(path);
  std::size_t count = 0;
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    if (common::python_strip(line).empty()) return;
    const auto digest = common::parse_digest(line.substr(0, std::min<std::size_t>(64, line.size())));
    if (!digest || line.size() < 67 || line[64] != ' ' || (line[65] != ' ' && line[65] != '*'))
      throw common::Error(common::ErrorKind::format,
                          path.string() + ", line " + std::to_string(number) +
                              ": expected \"SHA256  PATH\", as sha256sum writes it; correct the list");
    line.remove_prefix(66);
    add(std::string(line.substr(line.rfind('/') + 1)));
    ++count;
  });
  return count;
}

std::size_t IdList::unmet() const {
  return static_cast<std::size_t>(
      std::count_if(met_.begin(), met_.end(), [](const auto& one) { return !one.second; }));
}

bool IdList::meet(const std::string& id) {
  const auto at = met_.find(id);
  if (at == met_.end()) return false;
  at->second = true;
  return true;
}

void IdList::exclude(const std::vector<ClipEntry>& rows, const SoundSet& data_set,
                     const std::map<std::string, std::string>& other_ids, Excluded& excluded) {
  // A list of files calls them with their suffixes.
  std::unordered_map<std::string, std::vector<std::string>> by_stem;
  for (const auto& [id, met] : met_) by_stem[clip_stem(id)].push_back(id);
  const auto meet_all = [&](const std::string& stem) {
    const auto at = by_stem.find(clip_stem(stem));
    if (at == by_stem.end()) return false;
    for (const std::string& id : at->second) (void)meet(id);
    return true;
  };
  for (ClipEntry row : rows) {
    row.audio_relpath =
        "audio/" + std::string(data_set.train_split) + "/" + data_set.pack_stem(row.clip_id) + ".wav";
    std::vector<std::string> names = data_set.sources(row).names;
    names.insert(names.end(), {row.clip_id, row.caption_id});
    if (const auto other = other_ids.find(row.clip_id); other != other_ids.end())
      names.push_back(other->second);
    bool is_called = false;
    for (const std::string& name : names) is_called = meet_all(name) || is_called;
    if (is_called) excluded.clip_ids.insert(row.clip_id);
  }
}

void IdList::exclude(const VqaTables& tables, Excluded& excluded) {
  std::unordered_map<std::int64_t, std::vector<std::string>> by_number;
  for (const auto& [id, met] : met_) {
    const std::optional<std::int64_t> named = question_set().image_id(id);
    const bool is_number =
        !id.empty() && id.size() < 19 && id.find_first_not_of("0123456789") == std::string::npos;
    if (is_number || named) by_number[named.value_or(is_number ? std::stoll(id) : -1)].push_back(id);
  }
  const auto meet_all = [&](std::int64_t number) {
    const auto at = by_number.find(number);
    if (at == by_number.end()) return false;
    for (const std::string& id : at->second) (void)meet(id);
    return true;
  };
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (meet_all(tables.image_id(i))) excluded.image_ids.insert(tables.image_id(i));
    if (meet_all(tables.question_id(i))) excluded.question_ids.insert(tables.question_id(i));
  }
}

}  // namespace manifest
