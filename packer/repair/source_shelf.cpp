#include "packer/repair/source_shelf.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace packer {
namespace {

namespace fs = std::filesystem;

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::vector<fs::path> find_in(const std::map<std::string, std::vector<fs::path>>& index,
                              const std::string& key) {
  const auto at = index.find(key);
  return at == index.end() ? std::vector<fs::path>{} : at->second;
}

// A link that leads back up would otherwise be followed for ever.
class Visited {
 public:
  bool is_new(const fs::path& folder) {
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0) return false;
    return seen_.insert({status.st_dev, status.st_ino}).second;
  }

 private:
  std::set<std::pair<dev_t, ino_t>> seen_;
};

}  // namespace

std::string stem_of_path(const std::string& path) {
  const std::string name = file_name(path);
  return name.substr(0, name.rfind('.'));
}

SourceShelf::SourceShelf(const std::vector<fs::path>& roots, const ShelfQuery& query) {
  for (const fs::path& root : roots) walk(root, query);
  // The order of directory entries is nobody's promise, and which source serves must not depend on it.
  for (auto* index : {&names_, &stems_})
    for (auto& [key, paths] : *index) std::sort(paths.begin(), paths.end());
  std::sort(sized_.begin(), sized_.end());
}

void SourceShelf::walk(const fs::path& root, const ShelfQuery& query) {
  Visited visited;
  std::vector<fs::path> folders{root};
  while (!folders.empty()) {
    const fs::path folder = std::move(folders.back());
    folders.pop_back();
    if (!visited.is_new(folder)) continue;
    std::error_code none;
    for (fs::directory_iterator at(folder, none), end; at != end; at.increment(none)) {
      const fs::directory_entry& entry = *at;
      if (entry.is_directory(none)) {
        folders.push_back(entry.path());
      } else if (entry.is_regular_file(none)) {
        const std::string name = entry.path().filename().string();
        if (query.names.count(name) != 0) names_[name].push_back(entry.path());
        if (const std::string stem = stem_of_path(name); query.stems.count(stem) != 0)
          stems_[stem].push_back(entry.path());
        if (query.sizes.count(entry.file_size(none)) != 0) sized_.push_back(entry.path());
      }
    }
  }
}

std::vector<fs::path> SourceShelf::named_like(const std::string& path) const {
  std::vector<fs::path> found = find_in(names_, file_name(path));
  std::stable_partition(found.begin(), found.end(), [&](const fs::path& candidate) {
    return candidate.generic_string().ends_with("/" + path);
  });
  return found;
}

std::vector<fs::path> SourceShelf::with_stem(const std::string& stem) const { return find_in(stems_, stem); }

std::vector<fs::path> SourceShelf::of_sizes() const { return sized_; }

}  // namespace packer
