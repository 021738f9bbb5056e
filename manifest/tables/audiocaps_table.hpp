// AudioCaps' tables as people have them: the official CSV with the columns audiocap_id, youtube_id,
// start_time and caption in any order, and the JSON and JSONL that data sets and converters make of it, with
// the keys that the Python original's loader takes. Columns and keys beyond those are passed over.
//
//   clip       youtube_id or ytid, of the row or of its object "metadata"
//   start      start_time, likewise: a number, a number in quotes, empty, null, or none
//   captions   the first that is there of answers, answer, caption, captions: a text or a list of texts
//   row        audiocap_id, or the number that id ends with ("audiocaps_train_91139")
//
// JSON is a list of rows, or an object with the list "data"; JSONL has one row a line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/format/manifest.hpp"

namespace manifest {

// AudioCaps' largest table has 5 MB.
inline constexpr std::uint64_t k_table_limit_bytes = std::uint64_t{256} << 20;

enum class TableForm { csv, json, jsonl };
// By the suffix: .json, .jsonl, and CSV where it is anything else.
[[nodiscard]] TableForm table_form(const std::filesystem::path& path);

// Rows in ascending numeric order of audiocap_id, without audio_relpath; the first caption is `caption`, more
// of the same row are `captions`. Rows of a JSON table that has no numbers keep their order and are called by
// their id; where there is none either, by their youtube_id, and those of one clip become one row. A missing
// column or key, a broken quote, a row of another length, an id that is no number or stands twice, a
// youtube_id that cannot be a file name, a caption that is empty or no text: one format error that names the
// line or row.
[[nodiscard]] std::vector<ClipEntry> parse_audiocaps_table(std::string_view text, const std::string& name,
                                                           TableForm form = TableForm::csv);
[[nodiscard]] std::vector<ClipEntry> read_audiocaps_table(const std::filesystem::path& path);

}  // namespace manifest
