// A zip or tar that somebody else made, as a source of media: COCO's val2014.zip, a tar of AudioCaps. It is
// listed once, then read front to back once for all that is wanted; nothing of it is ever written to disk
// under a name of its own. Names are only compared with the names that manifests want, which are legal paths
// of a pack: an absolute name or one that climbs out is never asked for.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/bytes.hpp"

namespace packer {

// .zip, .tar, .tar.zst, .tgz or .tar.gz by its name.
[[nodiscard]] bool is_foreign_archive_name(const std::filesystem::path& path);

class ForeignArchive {
 public:
  struct Entry {
    std::size_t number = 0;  // which one of the archive's, in the order they are stored
    std::string name;        // as the archive has it
    std::string why_not;     // why its bytes cannot be had (a link, encrypted, there twice); empty: they can
  };

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

// One pass over the wanted entries, in the order they are stored.
class ForeignReader {
 public:
  // `wanted` in ascending order of numbers, each once. An entry with more bytes than `limit_bytes` is a
  // format error, whatever size it declares.
  ForeignReader(const std::filesystem::path& archive, std::vector<ForeignArchive::Entry> wanted,
                std::uint64_t limit_bytes);
  ~ForeignReader();
  ForeignReader(const ForeignReader&) = delete;
  ForeignReader& operator=(const ForeignReader&) = delete;

  struct Taken {
    std::size_t which = 0;  // index into `wanted`
    common::Bytes bytes;
  };
  // The next one, to be called once for each. Safe from many threads; they take turns.
  [[nodiscard]] Taken next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace packer
