// A zip or tar that somebody else made, as a source of media: COCO's val2014.zip, a tar of AudioCaps. It is
// listed once (of a zip, its directory is read), and then what is wanted is read. What operating systems put
// beside people's files (__MACOSX/, ._x.wav) is not in it. A link is the file of the same archive that it
// leads to. Nothing of it is ever written to disk under a name of its own. Names are only compared with the
// names that manifests want, which are legal paths of a pack: an absolute name or one that climbs out is
// never asked for.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "packer/sources/foreign_entry.hpp"
#include "packer/sources/foreign_links.hpp"

namespace packer {

// By its name: .zip, or .tar by itself or compressed by gzip, zstd, xz or bzip2.
[[nodiscard]] bool is_foreign_archive_name(const std::filesystem::path& path);

class ForeignArchive {
 public:
  using Entry = ForeignEntry;

  // Lists the archive. One that is damaged or cut short is a format error.
  explicit ForeignArchive(std::filesystem::path path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // The entry called `name`, or so called inside the one folder that holds all media, however deep that lies
  // and whatever it is called. Otherwise, where `name` has a folder, the one entry so called in any folder;
  // of several none, and `rivals` are their names.
  struct Search {
    const Entry* entry = nullptr;
    std::vector<std::string> rivals{};
  };
  [[nodiscard]] Search search(const std::string& name) const;
  // Whether a file in any folder is called `stem`, whatever its suffix: for who has many names to look for.
  [[nodiscard]] bool has_stem(std::string_view stem) const;
  [[nodiscard]] const Entry* find(const std::string& name) const { return search(name).entry; }

 private:
  using Entries = ForeignEntries;
  void find_roots();

  std::filesystem::path path_;
  Entries entries_;                 // that look like media, by name without "./"
  std::vector<std::string> roots_;  // "", then the folders that hold all media, the outer ones first
  std::vector<const Entries::value_type*> by_file_name_;
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
