// Files of source folders in which lost bytes may lie: found by name, by name without suffix, or by size.
// Nothing is believed of a file but what its bytes hash to, and that is the caller's work.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace packer {

// What to look for; files that match none of it are not remembered, so a huge tree costs little.
struct ShelfQuery {
  std::set<std::string> names;  // file names, without folders
  std::set<std::string> stems;  // the same without the suffix
  std::set<std::uint64_t> sizes;
};

class SourceShelf {
 public:
  // Walks every folder below `roots`, following links (data sets on clusters are often made of them), each
  // folder once; what cannot be read is passed over.
  SourceShelf(const std::vector<std::filesystem::path>& roots, const ShelfQuery& query);

  // The files called as `path` is, those at the very same place below a root first.
  [[nodiscard]] std::vector<std::filesystem::path> named_like(const std::string& path) const;
  [[nodiscard]] std::vector<std::filesystem::path> with_stem(const std::string& stem) const;
  // Every file of one of the sizes that were asked for.
  [[nodiscard]] std::vector<std::filesystem::path> of_sizes() const;

 private:
  void walk(const std::filesystem::path& root, const ShelfQuery& query);

  std::map<std::string, std::vector<std::filesystem::path>> names_, stems_;
  std::vector<std::filesystem::path> sized_;
};

// The name of a file without folder and suffix: "a" of "images/a.jpg".
[[nodiscard]] std::string stem_of_path(const std::string& path);

}  // namespace packer
