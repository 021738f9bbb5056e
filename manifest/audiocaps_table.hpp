// AudioCaps' official table: one caption a row, with the columns audiocap_id, youtube_id, start_time and
// caption in any order (others are passed over).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/manifest.hpp"

namespace manifest {

// AudioCaps' largest table has 5 MB.
inline constexpr std::uint64_t k_table_limit_bytes = std::uint64_t{256} << 20;

// Rows in ascending numeric order of audiocap_id, without audio_relpath. An empty start_time is null. A
// missing column, a broken quote, a row of another length, an id that is no number or stands twice, a
// youtube_id that cannot be a file name, an empty caption: one format error that names the line.
[[nodiscard]] std::vector<ClipEntry> parse_audiocaps_table(std::string_view text, const std::string& name);
[[nodiscard]] std::vector<ClipEntry> read_audiocaps_table(const std::filesystem::path& path);

}  // namespace manifest
