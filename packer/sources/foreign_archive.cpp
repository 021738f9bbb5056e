#include "packer/sources/foreign_archive.hpp"

#include <algorithm>
#include <array>

#include "common/path.hpp"
#include "packer/sources/foreign_tar.hpp"
#include "packer/sources/foreign_zip.hpp"
#include "packer/tar/form.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_name_limit_bytes = 4096;

bool is_zip(const fs::path& path) { return path.filename().string().ends_with(".zip"); }

bool looks_like_media(const std::string& name) {
  static constexpr std::array<const char*, 6> k_suffixes{".wav", ".flac", ".mp3", ".jpg", ".jpeg", ".png"};
  return name.size() <= k_name_limit_bytes &&
         std::any_of(k_suffixes.begin(), k_suffixes.end(),
                     [&](const char* suffix) { return name.ends_with(suffix); });
}

// "./audio/x.wav", as `tar c .` writes it, is audio/x.wav.
std::string without_dot(std::string name) {
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

// The first component of a name, where it is one that a folder may be named by.
std::string top_of(const std::string& name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos) return {};
  std::string top = name.substr(0, slash);
  return common::why_not_a_pack_path(top).empty() ? top : std::string();
}

}  // namespace

bool is_foreign_archive_name(const fs::path& path) { return is_zip(path) || form_of_suffix(path); }

ForeignArchive::ForeignArchive(fs::path path) : path_(std::move(path)) {
  bool one_folder = true;
  const auto take = [&](ForeignEntry entry) {
    std::string name = without_dot(entry.name);
    const std::string top = top_of(name);
    if (only_folder_.empty()) only_folder_ = top;
    one_folder = one_folder && !top.empty() && top == only_folder_;
    if (!looks_like_media(name)) return;
    const auto [at, is_new] = entries_.try_emplace(std::move(name), std::move(entry));
    // Which one is meant, nobody knows: unpackers disagree.
    if (!is_new) at->second.why_not = "a duplicate name";
  };
  if (is_zip(path_))
    list_zip(path_, take);
  else
    list_tar(path_, take);
  if (!one_folder) only_folder_.clear();
}

const ForeignArchive::Entry* ForeignArchive::find(const std::string& name) const {
  auto at = entries_.find(name);
  if (at == entries_.end() && !only_folder_.empty()) at = entries_.find(only_folder_ + "/" + name);
  return at == entries_.end() ? nullptr : &at->second;
}

ForeignReader::ForeignReader(const fs::path& archive, std::vector<WantedEntry> wanted)
    : entries_(is_zip(archive) ? read_zip(archive, std::move(wanted))
                               : read_tar(archive, std::move(wanted))) {}

}  // namespace packer
