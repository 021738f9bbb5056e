#include "manifest/datasets/places.hpp"

#include <algorithm>
#include <cerrno>

#include "common/error.hpp"
#include "common/unfetched.hpp"
#include "common/unicode_form.hpp"

namespace manifest {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_example_count = 3;

std::string in_capitals(std::string_view suffix) {
  std::string upper(suffix);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return upper;
}

// The file of a sound's name in one folder, best suffix first; empty where there is none.
std::string with_suffix(const std::string& folder, const std::string& name, const Tree& tree) {
  if (!tree.may_have(folder, clip_stem(name))) return {};
  if (has_sound_suffix(name) && tree.has(folder + name)) return folder + name;
  const std::string stem = folder + clip_stem(name);
  for (const std::string_view suffix : k_sound_suffixes)
    for (const std::string& path : {stem + std::string(suffix), stem + in_capitals(suffix)})
      if (tree.has(path)) return path;
  return {};
}

// The files of one folder that a name means, in whatever normal form of Unicode it is.
std::vector<std::string> in_any_form(const std::string& folder, const std::string& name, const Tree& tree) {
  std::vector<std::string> found;
  for (const std::string& form : common::normal_forms(name))
    if (std::string path = with_suffix(folder, form, tree); !path.empty()) found.push_back(std::move(path));
  return found;
}

// One file, or those of which nobody knows which is meant.
Found one_of(std::vector<std::string> paths) {
  if (paths.size() == 1) return {std::move(paths.front()), {}};
  return {{}, std::move(paths)};
}

std::uint64_t hash_of(std::string_view stem) { return std::hash<std::string_view>{}(stem); }

std::string_view stem_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

}  // namespace

bool has_sound_suffix(std::string_view name) {
  return std::any_of(std::begin(k_sound_suffixes), std::end(k_sound_suffixes), [&](std::string_view suffix) {
    return name.ends_with(suffix) || name.ends_with(in_capitals(suffix));
  });
}

std::string clip_stem(const std::string& audio_relpath) {
  if (!has_sound_suffix(audio_relpath)) return audio_relpath;
  return audio_relpath.substr(0, audio_relpath.rfind('.'));
}

Found find_sound(const Places& places, const Tree& tree) {
  const std::string& own = places.names.front();
  // Where things are as the manifest says, nothing has to be listed.
  const std::string usual = places.folders.front() + own;
  const bool has_one_form = common::normal_forms(own).size() == 1;
  if (has_one_form && tree.has(usual)) return {usual, {}};
  if (has_one_form)
    for (const std::string_view suffix : {".wav", ".flac", ".mp3"})
      if (std::string path = clip_stem(usual) + std::string(suffix); tree.has(path)) return {path, {}};
  for (const std::string& folder : places.folders)
    if (auto paths = in_any_form(folder, own, tree); !paths.empty()) return one_of(std::move(paths));
  for (const std::string& folder : places.folders) {
    std::vector<std::string> paths;
    for (auto name = places.names.begin() + 1; name != places.names.end(); ++name)
      for (std::string& path : in_any_form(folder, *name, tree)) paths.push_back(std::move(path));
    if (!paths.empty()) return one_of(std::move(paths));
  }
  return {};
}

Found find_picture(const Places& places, const Tree& tree) {
  const auto has = [&](const std::string& folder, const std::string& name) {
    // Where things are as the manifest says, nothing has to be listed.
    return (name == places.names.front() || tree.may_have(folder, stem_of(name))) && tree.has(folder + name);
  };
  for (const std::string& name : places.names)
    for (const std::string& folder : places.folders)
      if (has(folder, name)) return {folder + name, {}};
  return {};
}

bool FolderTree::has(const std::string& path) const {
  const fs::path whole = root_ / path;
  std::error_code error;
  const fs::file_type type = fs::status(whole, error).type();
  if (type == fs::file_type::regular || type == fs::file_type::none) {
    // A pointer to content that was never fetched is not the file.
    if (!common::why_unfetched(whole).empty()) return false;
    if (type == fs::file_type::none)
      throw common::Error(common::ErrorKind::io, "cannot look at " + whole.string() + ": " + error.message());
  }
  return type == fs::file_type::regular;
}

bool FolderTree::may_have(const std::string& folder, std::string_view stem) {
  const Listing& listing = list(folder);
  return !listing.is_known || std::binary_search(listing.stems.begin(), listing.stems.end(), hash_of(stem));
}

Tree FolderTree::tree() {
  return {[this](const std::string& folder, std::string_view stem) { return may_have(folder, stem); },
          [this](const std::string& path) { return has(path); }};
}

const FolderTree::Listing& FolderTree::list(const std::string& folder) {
  const auto [at, is_new] = listings_.try_emplace(folder);
  Listing& listing = at->second;
  if (!is_new) return listing;
  const fs::path path = root_ / folder;
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory)
      throw common::Error(common::ErrorKind::io, "cannot look at " + path.string() + ": " + error.message());
    return listing;
  }
  fs::directory_iterator entry(path, error), end;
  if (error == std::errc::permission_denied) {
    listing.is_known = false;
    return listing;
  }
  for (; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    listing.stems.push_back(hash_of(stem_of(name)));
    std::error_code ignored;
    if (listing.examples.size() < k_example_count && name.front() != '.' && !entry->is_directory(ignored))
      listing.examples.push_back(name);
  }
  if (error)
    throw common::Error(common::ErrorKind::io, "cannot list " + path.string() + ": " + error.message());
  std::sort(listing.stems.begin(), listing.stems.end());
  std::sort(listing.examples.begin(), listing.examples.end());
  return listing;
}

std::string FolderTree::describe(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    const Listing& listing = list(folder);
    if (listing.examples.empty()) continue;
    std::string text = (root_ / folder).string() + " holds such files as ";
    for (std::size_t i = 0; i < listing.examples.size(); ++i)
      text += (i == 0 ? "" : ", ") + listing.examples[i];
    return text;
  }
  return {};
}

fs::path first_file(const fs::path& root, const std::vector<std::string>& names) {
  const FolderTree tree(root);
  const auto found =
      std::find_if(names.begin(), names.end(), [&](const std::string& name) { return tree.has(name); });
  return root / (found == names.end() ? names.front() : *found);
}

bool has_file(const fs::path& root, const std::vector<std::string>& names) {
  const FolderTree tree(root);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return tree.has(name); });
}

}  // namespace manifest
