#include "packer/format/names.hpp"

#include <array>
#include <map>
#include <set>
#include <utility>

#include "common/sealed/finding_limit.hpp"

namespace packer {
namespace {

struct RoleName {
  Role role;
  const char* name;
  const char* file;  // null: a media role, recognised by its folder
};

constexpr std::array<RoleName, 12> k_roles{{
    {Role::info, "info", "pack.json"},
    {Role::readme, "readme", "README.txt"},
    {Role::manifest, "manifest", "manifest.json"},
    {Role::subset_manifest, "subset_manifest", "subset_manifest.json"},
    {Role::captions, "captions", "captions.jsonl"},
    {Role::val_manifest, "val_manifest", "val_manifest.json"},
    {Role::retention_manifest, "retention_manifest", "retention_manifest.json"},
    {Role::base_manifest, "base_manifest", "base_manifest.json"},
    {Role::audio_val_manifest, "audio_val_manifest", "audio_val_manifest.json"},
    {Role::unlike_manifest, "unlike_manifest", "unlike_manifest.json"},
    {Role::clip, "clip", nullptr},
    {Role::image, "image", nullptr},
}};

bool has_suffix(std::string_view path, std::initializer_list<std::string_view> suffixes) {
  for (const std::string_view suffix : suffixes)
    if (path.size() > suffix.size() && path.ends_with(suffix)) return true;
  return false;
}

std::string folded(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

// Calls with every folder that `path` lies in, outermost first.
template <typename Call>
void for_each_folder(std::string_view path, const Call& call) {
  for (std::size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1))
    call(path.substr(0, at));
}

}  // namespace

const char* name_of(Role role) {
  for (const RoleName& row : k_roles)
    if (row.role == role) return row.name;
  return "";
}

std::optional<Role> role_named(std::string_view name) {
  for (const RoleName& row : k_roles)
    if (name == row.name) return row.role;
  return std::nullopt;
}

std::optional<Role> role_of(std::string_view path) {
  for (const RoleName& row : k_roles)
    if (row.file != nullptr && path == row.file) return row.role;
  const std::size_t first = path.find('/');
  const std::size_t last = path.rfind('/');
  if (first == std::string_view::npos) return std::nullopt;
  const std::string_view top = path.substr(0, first);
  const std::string_view file = path.substr(last + 1);
  const bool one_between = first != last && path.find('/', first + 1) == last;
  if (top == "audio" && one_between && has_suffix(file, {".wav", ".flac"})) return Role::clip;
  if (top == "images" && first == last && has_suffix(file, {".jpg", ".jpeg", ".png"})) return Role::image;
  return std::nullopt;
}

bool is_media_folder(std::string_view name) { return name == "audio" || name == "images"; }

const std::vector<std::string>& required_files() {
  static const std::vector<std::string> k_files{"README.txt", "captions.jsonl",       "manifest.json",
                                                "pack.json",  "subset_manifest.json", "val_manifest.json"};
  return k_files;
}

std::string why_not_a_pack_name(std::string_view text) {
  if (std::string why = common::why_not_a_pack_path(text); !why.empty()) return why;
  if (text.find('/') != std::string_view::npos) return "it has a folder";
  if (text.front() == '-') return "it begins with '-', so tools would take it for a flag";
  return {};
}

void check_names(std::string_view pack_name, const std::vector<common::PackPath>& paths,
                 common::Findings& findings) {
  common::LimitedFindings limited(findings);
  std::set<std::string_view> files;
  for (const common::PackPath& path : paths) files.insert(path.text());
  std::map<std::string, std::string_view> spellings;  // folded -> as spelt; folders too
  const auto note = [&](std::string_view spelt) {
    const auto [it, is_new] = spellings.emplace(folded(spelt), spelt);
    return is_new || it->second == spelt ? std::string_view{} : it->second;
  };
  for (const common::PackPath& path : paths) {
    const std::string& text = path.text();
    if (pack_name.size() + 1 + text.size() > common::PackPath::k_limit_bytes)
      limited.add(text, "N2",
                  "with the pack's name before it the path has " +
                      std::to_string(pack_name.size() + 1 + text.size()) +
                      " bytes; at most 100 fit an archive");
    for_each_folder(text, [&](std::string_view folder) {
      if (files.count(folder) != 0)
        limited.add(text, "N4", "lies in \"" + std::string(folder) + "\", which is a file");
      if (const std::string_view twin = note(folder); !twin.empty())
        limited.add(text, "N3", "its folder differs only in case from \"" + std::string(twin) + "\"");
    });
    if (const std::string_view twin = note(text); !twin.empty())
      limited.add(text, "N3", "differs only in case from \"" + std::string(twin) + "\"");
    if (!role_of(text)) limited.add(text, "N5", "no file of a pack has such a name");
  }
}

}  // namespace packer
