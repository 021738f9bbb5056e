// A file under construction beside the place it will take: `.<name>.draft`, under the lock of that name.
// Removed when it is dropped; what a kill leaves is removed by the next run. Only publish() lets it be seen.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "common/sealed/folder.hpp"
#include "common/sealed/lock.hpp"
#include "common/sink.hpp"

namespace common {

// none: what is published may be lost, whole, by a power cut. For what can be made again.
enum class Durability { none, disk };

class DraftFile : public Sink {
 public:
  explicit DraftFile(const std::filesystem::path& target, Patience patience = Patience::none);
  ~DraftFile() override;
  DraftFile(const DraftFile&) = delete;
  DraftFile& operator=(const DraftFile&) = delete;

  void write(ByteView bytes) override { file_.write_all(bytes, parent_.path_of(draft_name_)); }
  // To the disk.
  void finish() override { synced_ = file_.sync(parent_.path_of(draft_name_)); }
  // Into the target's place; what was there is replaced.
  void publish(Durability durability = Durability::disk);

 private:
  std::filesystem::path target_;
  Folder parent_;
  Patience patience_;
  Lock lock_;
  std::string draft_name_;
  File file_;
  Synced synced_ = Synced::yes;
  bool published_ = false;
};

// Publishes `bytes` under `path`: the old content or the new one is there at every moment, never a part.
// Waits a little for another process that does the same.
void write_file(const std::filesystem::path& path, ByteView bytes);
inline void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, view_of(text));
}

}  // namespace common
