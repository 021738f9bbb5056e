// A damaged pack's folder while it is repaired. Nothing in it changes but by one rename of a file whose bytes
// have hashed to what the seal says; they are staged in `.<name>.repair` beside the pack, so that a run that
// is killed leaves no file behind that the seal does not list. What stands in the way is moved aside, never
// removed.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/file.hpp"
#include "common/sealed/folder.hpp"
#include "common/sealed/lock.hpp"
#include "common/sealed/sums.hpp"
#include "common/sink.hpp"
#include "packer/format/info.hpp"

namespace packer {

// From where the bytes of a file came: a path, or a remark in words.
struct RepairedFile {
  std::string path;
  std::string from;
};

class RepairSite {
 public:
  // Throws usage where `pack` is no folder, mismatch where it never was a pack.
  explicit RepairSite(const std::filesystem::path& pack);
  ~RepairSite();
  RepairSite(const RepairSite&) = delete;
  RepairSite& operator=(const RepairSite&) = delete;

  [[nodiscard]] const std::filesystem::path& pack() const { return pack_; }
  // The same, opened: what is read of the pack is read through it.
  [[nodiscard]] const common::Folder& folder() const { return folder_; }
  // Regular files in the pack that are reached without a link, by their path.
  [[nodiscard]] const std::set<std::string>& files() const { return files_; }
  // The digest of such a file; nothing where it is not there or cannot be read. Safe from many threads.
  [[nodiscard]] std::optional<common::Digest> digest_of(const std::string& path) const;

  // Wants the file of each line that is not in the pack as the line says.
  // `info` tells their sizes, where it is there.
  void want(const std::vector<common::SumsLine>& lines, const std::optional<PackInfo>& info,
            unsigned threads);
  [[nodiscard]] std::vector<common::SumsLine> wanted() const;
  // Takes the bytes of a wanted file; at finish() it takes its place if they hash to what its line says, and
  // is wanted on if not. Each is safe on a thread of its own.
  [[nodiscard]] std::unique_ptr<common::Sink> begin(const common::SumsLine& line, const std::string& from);
  // The same for a wanted file with this digest that nobody is writing yet; null where there is none.
  [[nodiscard]] std::unique_ptr<common::Sink> begin_any(const common::Digest& digest,
                                                        const std::string& from);
  // The same for bytes in memory; true where they were the right ones.
  bool put(const common::SumsLine& line, common::ByteView bytes, const std::string& from);
  // Publishes bytes that no line speaks of: the seal, its signature.
  void put_unlisted(const std::string& path, common::ByteView bytes, const std::string& from);

  // To `<pack>.aside/<path>`, beside the pack.
  void move_aside(const std::string& path);
  // Removes a folder if it is empty, then those it lay in.
  void remove_empty_folders(std::string folder) const;
  // The folders that changed, to the disk.
  void sync() const;

  [[nodiscard]] std::vector<RepairedFile> repaired() const;  // by path
  // Paths that were moved, and the folder that they are in now.
  [[nodiscard]] std::vector<std::string> moved() const { return moved_; }
  [[nodiscard]] const std::filesystem::path& aside() const { return aside_; }

 private:
  class Part;
  void list_files();
  void clear_way(const std::string& path);
  void place(const std::string& staged, const std::string& path, const std::string& from);
  [[nodiscard]] std::string next_part() const;
  [[nodiscard]] bool has_size(const std::string& path, std::uint64_t bytes) const;
  void release(const std::string& path) const;

  std::filesystem::path pack_, aside_;
  common::Folder parent_;
  common::Lock lock_;  // before the pack is opened: nobody exchanges it from here on
  common::Folder folder_, staging_;
  std::optional<common::Folder> moved_to_;
  std::set<std::string> files_;
  std::map<std::string, common::SumsLine> wanted_;
  std::vector<RepairedFile> repaired_;
  std::vector<std::string> moved_;
  std::set<std::string> changed_;  // folders of the pack, "" the pack itself
  mutable std::mutex mutex_;       // over all that changes while threads fetch
  mutable std::set<std::string> in_work_;
  mutable std::size_t parts_ = 0;
};

}  // namespace packer
