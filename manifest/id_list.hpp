// Ids and names that the user does not want: the block lists that other data sets publish, and lists of equal
// files. What they call is looked up among the rows of a table; each entry is counted once it has been met,
// so that a list for another data set does not pass for one that did its work.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "manifest/datasets/data_set.hpp"
#include "manifest/select.hpp"

namespace manifest {

class IdList {
 public:
  // A text with one id a line, the column of a CSV whose header is one of the ids that data sets have, or
  // JSON: a list of ids or of rows, or an object of such lists.
  void add_ids(const std::filesystem::path& path);
  // Lines "SHA256  PATH", as sha256sum writes them: each names the picture or clip of its path.
  // Gives how many it has: none where no two files are equal.
  std::size_t add_files(const std::filesystem::path& path);
  // As add_ids does with the text of `name`.
  void add_ids_of(const std::string& text, const std::string& name);

  [[nodiscard]] bool empty() const { return met_.empty(); }
  [[nodiscard]] std::size_t size() const { return met_.size(); }
  // Entries that no row met.
  [[nodiscard]] std::size_t unmet() const;

  // Adds to `excluded` what the list calls. `other_ids`: by clip_id.
  void exclude(const std::vector<ClipEntry>& rows, const SoundSet& data_set,
               const std::map<std::string, std::string>& other_ids, Excluded& excluded);
  void exclude(const VqaTables& tables, Excluded& excluded);

 private:
  void add(const std::string& id);
  bool meet(const std::string& id);

  std::unordered_map<std::string, bool> met_;
};

}  // namespace manifest
