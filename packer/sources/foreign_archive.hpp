// A zip or tar that somebody else made, as a source of media: COCO's val2014.zip, a tar of AudioCaps. It is
// listed once (of a zip, its directory is read), and then what is wanted is read; nothing of it is ever
// written to disk under a name of its own. Names are only compared with the names that manifests want, which
// are legal paths of a pack: an absolute name or one that climbs out is never asked for.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "packer/sources/foreign_entry.hpp"

namespace packer {

// .zip, .tar, .tar.zst, .tgz or .tar.gz by its name.
[[nodiscard]] bool is_foreign_archive_name(const std::filesystem::path& path);

class ForeignArchive {
 public:
  using Entry = ForeignEntry;

  // Lists the archive. One that is damaged or cut short is a format error.
  explicit ForeignArchive(std::filesystem::path path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // The entry called `name`, or so called inside the one folder that holds everything. Null: there is none.
  [[nodiscard]] const Entry* find(const std::string& name) const;

 private:
  std::filesystem::path path_;
  std::unordered_map<std::string, Entry> entries_;  // that look like media, by name without "./"
  std::string only_folder_;                         // empty: there are several, or files outside of any
};

// One pass over the wanted entries.
class ForeignReader {
 public:
  using Taken = TakenEntry;

  // As read_tar and read_zip.
  ForeignReader(const std::filesystem::path& archive, std::vector<WantedEntry> wanted);

  // The next one, to be called once for each. Safe from many threads.
  [[nodiscard]] Taken next() { return entries_->next(); }

 private:
  std::unique_ptr<EntryReader> entries_;
};

}  // namespace packer
