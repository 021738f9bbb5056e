// A file under construction beside the place it will take: `.<name>.draft`. Locked while in use; removed when
// it is dropped; left behind by a kill, and then overwritten by the next run. Only publish() lets it be seen.
#pragma once

#include <filesystem>

#include "common/file.hpp"
#include "common/sink.hpp"

namespace packer {

class DraftFile : public common::Sink {
 public:
  explicit DraftFile(std::filesystem::path target);
  ~DraftFile() override;
  DraftFile(const DraftFile&) = delete;
  DraftFile& operator=(const DraftFile&) = delete;

  void write(common::ByteView bytes) override { file_.write_all(bytes, draft_); }
  // To the disk.
  void finish() override { file_.sync(draft_); }
  // Into the target's place; what was there is replaced.
  void publish();

 private:
  // False where another process made, published or removed the draft meanwhile: try again.
  bool take();

  std::filesystem::path target_, draft_;
  common::File file_;
  bool made_ = false, published_ = false;
};

}  // namespace packer
