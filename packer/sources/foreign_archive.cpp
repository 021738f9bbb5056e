#include "packer/sources/foreign_archive.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "packer/sources/foreign_links.hpp"
#include "packer/sources/foreign_tar.hpp"
#include "packer/sources/foreign_zip.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_name_limit_bytes = 4096;

std::string lower_case(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

template <std::size_t count>
bool ends_with_any(const std::string& name, const std::array<const char*, count>& suffixes) {
  const std::string lower = lower_case(name);
  return std::any_of(suffixes.begin(), suffixes.end(), [&](const std::string& suffix) {
    return lower.size() > suffix.size() && lower.ends_with(suffix);
  });
}

bool is_zip(const fs::path& path) { return lower_case(path.filename().string()).ends_with(".zip"); }

// What a data set may ask for; which of it can be packed is said when it is taken.
bool looks_like_media(const std::string& name) {
  static constexpr std::array<const char*, 19> k_suffixes{
      ".wav", ".wave", ".flac", ".mp3", ".ogg",  ".oga", ".opus", ".m4a", ".mp4", ".webm",
      ".mkv", ".jpg",  ".jpeg", ".png", ".webp", ".bmp", ".gif",  ".tif", ".tiff"};
  return name.size() <= k_name_limit_bytes && ends_with_any(name, k_suffixes);
}

std::string_view file_name(std::string_view name) { return name.substr(name.rfind('/') + 1); }

// What macOS stores beside each file, under the file's own name behind "._".
bool is_of_macos(std::string_view name) {
  return file_name(name).starts_with("._") || name.starts_with("__MACOSX/") ||
         name.find("/__MACOSX/") != std::string_view::npos;
}

// No folder of an archive is called "", "." or "..": such a name climbs out, or is absolute.
bool is_inside(std::string_view folder) {
  while (!folder.empty()) {
    const std::string_view part = folder.substr(0, folder.find('/'));
    if (part.empty() || part == "." || part == "..") return false;
    folder.remove_prefix(part.size() + 1);
  }
  return true;
}

}  // namespace

bool is_foreign_archive_name(const fs::path& path) {
  static constexpr std::array<const char*, 11> k_suffixes{
      ".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tbz"};
  return ends_with_any(path.filename().string(), k_suffixes);
}

ForeignArchive::ForeignArchive(fs::path path) : path_(std::move(path)) {
  const auto take = [&](ForeignEntry entry) {
    std::string name = without_dot(entry.name);
    if (!looks_like_media(name) || is_of_macos(name)) return;
    const auto [at, is_new] = entries_.try_emplace(std::move(name), std::move(entry));
    if (!is_new) mark_duplicate(at->second);
  };
  const auto list = [&](const EntryCall& call) {
    is_zip(path_) ? list_zip(path_, call) : list_tar(path_, call);
  };
  list(take);
  follow_links(entries_, list);
  find_roots();
}

void ForeignArchive::find_roots() {
  // The folders that all have in common.
  std::string common = entries_.empty() ? std::string() : entries_.begin()->first;
  for (const auto& [name, entry] : entries_) {
    const auto differs = std::mismatch(common.begin(), common.end(), name.begin(), name.end()).first;
    common.erase(differs, common.end());
  }
  common.erase(common.rfind('/') + 1);
  roots_ = {""};
  for (std::size_t at = common.find('/'); at != std::string::npos; at = common.find('/', at + 1))
    if (std::string root = common.substr(0, at + 1); is_inside(root)) roots_.push_back(std::move(root));
  by_file_name_.reserve(entries_.size());
  for (const auto& entry : entries_) by_file_name_.push_back(&entry);
  std::sort(by_file_name_.begin(), by_file_name_.end(), [](const auto* a, const auto* b) {
    const std::string_view first = file_name(a->first), second = file_name(b->first);
    return first != second ? first < second : a->first < b->first;
  });
}

ForeignArchive::Search ForeignArchive::search(const std::string& name) const {
  for (const std::string& root : roots_)
    if (const auto at = entries_.find(root + name); at != entries_.end()) return {&at->second};
  Search search;
  // A name without a folder would be found among thumbnails too.
  if (name.find('/') == std::string::npos) return search;
  const std::string_view wanted = file_name(name);
  auto at =
      std::lower_bound(by_file_name_.begin(), by_file_name_.end(), wanted,
                       [](const auto* entry, std::string_view key) { return file_name(entry->first) < key; });
  for (; at != by_file_name_.end() && file_name((*at)->first) == wanted; ++at) {
    const std::string& found = (*at)->first;
    if (!found.ends_with("/" + name) || !is_inside(found.substr(0, found.size() - name.size()))) continue;
    search.entry = &(*at)->second;
    search.rivals.push_back(found);
  }
  if (search.rivals.size() > 1)
    search.entry = nullptr;
  else
    search.rivals.clear();
  return search;
}

bool ForeignArchive::has_stem(std::string_view stem) const {
  const std::string wanted = std::string(stem) + ".";
  const auto at =
      std::lower_bound(by_file_name_.begin(), by_file_name_.end(), std::string_view(wanted),
                       [](const auto* entry, std::string_view key) { return file_name(entry->first) < key; });
  return at != by_file_name_.end() && file_name((*at)->first).starts_with(wanted);
}

ForeignReader::ForeignReader(const fs::path& archive, std::vector<WantedEntry> wanted)
    : entries_(is_zip(archive) ? read_zip(archive, std::move(wanted))
                               : read_tar(archive, std::move(wanted))) {}

}  // namespace packer
