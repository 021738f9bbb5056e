// Reading a manifest without knowing which kind it is, or whose repeated ids are to be reported instead of
// refused. A file that names an audio_rel_root is a SubsetManifest, any other a VqaManifest.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

#include "manifest/format/manifest.hpp"

namespace manifest {

using AnyManifest = std::variant<SubsetManifest, VqaManifest>;

// What to do with an id that stands twice.
enum class Repeats { refuse, keep };

[[nodiscard]] AnyManifest parse_any(std::string_view text, const std::string& name, Repeats repeats);
[[nodiscard]] AnyManifest read_any(const std::filesystem::path& path, Repeats repeats);

}  // namespace manifest
