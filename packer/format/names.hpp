// Which names a pack may hold, what each name means, and the order in which an archive stores them. The role
// of a file follows from its path alone, so no two programs can disagree about it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/path.hpp"
#include "common/sealed/finding.hpp"
#include "common/sealed/sums.hpp"

namespace packer {

inline constexpr std::string_view k_info_name = "pack.json";

inline constexpr std::uint64_t k_file_limit_bytes =
    (std::uint64_t{8} << 30) - 1;  // eleven octal digits of ustar
inline constexpr std::uint64_t k_control_limit_bytes = std::uint64_t{256} << 20;

enum class Role {
  info,
  readme,
  manifest,
  subset_manifest,
  captions,
  val_manifest,
  retention_manifest,
  base_manifest,
  audio_val_manifest,
  unlike_manifest,
  clip,
  image
};

[[nodiscard]] const char* name_of(Role role);
[[nodiscard]] std::optional<Role> role_named(std::string_view name);
// The role that a path stands for, or nothing where a pack has no place for it.
[[nodiscard]] std::optional<Role> role_of(std::string_view path);
// "audio" or "images": the folders directly in a pack.
[[nodiscard]] bool is_media_folder(std::string_view name);
// Files that every pack has.
[[nodiscard]] const std::vector<std::string>& required_files();

// Empty where `text` can name a pack (one component, not beginning with '-'), otherwise the reason.
[[nodiscard]] std::string why_not_a_pack_name(std::string_view text);

// N2 length with the pack's name, N3 twins that differ only in case, N4 a file that is a folder of another,
// N5 no place in the layout. `paths` is sorted.
void check_names(std::string_view pack_name, const std::vector<common::PackPath>& paths,
                 common::Findings& findings);

// Files without a folder are the control files: few, small, read whole.
[[nodiscard]] inline bool is_control(std::string_view path) {
  return path.find('/') == std::string_view::npos;
}

}  // namespace packer
