// Reading manifests. A file that names an audio_rel_root is a SubsetManifest, any other a VqaManifest.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "manifest/format/manifest.hpp"

namespace manifest {

// Reading is strict: an unknown or missing key, a wrong type, an empty list of entries, an id twice is a
// format error that names the file and the entry. `start_time` may be a number or null.
[[nodiscard]] SubsetManifest parse_subset(std::string_view text, const std::string& name);
[[nodiscard]] VqaManifest parse_vqa(std::string_view text, const std::string& name);
[[nodiscard]] SubsetManifest read_subset(const std::filesystem::path& path);
[[nodiscard]] VqaManifest read_vqa(const std::filesystem::path& path);

// The same, row by row, for manifests that are looked through and not kept: what comes back has no rows.
using TakeClip = std::function<void(ClipEntry&&)>;
using TakeQuestion = std::function<void(QuestionEntry&&)>;
SubsetManifest scan_subset(std::string_view text, const std::string& name, const TakeClip& take);
VqaManifest scan_vqa(std::string_view text, const std::string& name, const TakeQuestion& take,
                     const TakeClip& take_caption);

// A manifest of either kind.
using AnyManifest = std::variant<SubsetManifest, VqaManifest>;

// What to do with an id that stands twice.
enum class Repeats { refuse, keep };

[[nodiscard]] AnyManifest parse_any(std::string_view text, const std::string& name, Repeats repeats);
[[nodiscard]] AnyManifest read_any(const std::filesystem::path& path, Repeats repeats);

}  // namespace manifest
