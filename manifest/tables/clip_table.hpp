// A table of clips as people have it: CSV with the columns that the data set's description names, in any
// order, and the JSON and JSONL that data sets and converters make of it. Columns and keys beyond those are
// passed over. A JSON table is a list of rows, or an object with the list "data"; JSONL has one row a line.
// The separator is the one of comma, tab and semicolon by which the header holds the columns.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/datasets/data_sets.hpp"

namespace manifest {

enum class TableForm { csv, json, jsonl };
// By the suffix, before .gz: .json, .jsonl, and CSV where it is anything else.
[[nodiscard]] TableForm table_form(const std::filesystem::path& path);

// Rows in ascending order of their numbers, without audio_relpath; the first caption is `caption`, more of
// the same row are `captions`. Rows of a table that has no numbers keep their order and are called by their
// id; where there is none either, by their clip's, and those of one clip become one row. A missing column or
// key, a broken quote, a row of another length, an id that is no number or stands twice, a clip that cannot
// be a file name, a caption that is empty or no text: one format error that names each line or row.
[[nodiscard]] std::vector<ClipEntry> parse_clip_table(std::string_view text, const std::string& name,
                                                      TableForm form = TableForm::csv,
                                                      const SoundSet& data_set = original_sound_set());

struct ClipTable {
  const SoundSet* data_set = nullptr;
  std::vector<ClipEntry> rows;
};
// Whose columns the table has; the original's where none fits.
[[nodiscard]] const SoundSet* sound_set_of_table(const std::filesystem::path& path);
// `data_set` null: as the columns tell.
[[nodiscard]] ClipTable read_clip_table(const std::filesystem::path& path,
                                        const SoundSet* data_set = nullptr);

// Says in the rows whose their sounds are; gives the other id by which block lists may call a clip, by
// clip_id. A clip that is not in the table stays as it is.
[[nodiscard]] std::map<std::string, std::string> add_credits(const std::filesystem::path& path,
                                                             const SoundSet& data_set,
                                                             std::vector<ClipEntry>& rows);

}  // namespace manifest
