// Many files, each read once from front to back and held against what the pack says of it. Each thread has
// several files under way and hashes them at once, which takes little longer than one
// (common::update_together).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "common/bytes.hpp"
#include "common/file.hpp"
#include "packer/check/file_check.hpp"

namespace packer {

// A file that is under way. Used by one thread.
class FileReading {
 public:
  explicit FileReading(const PackFile& expected, const Examination& examination)
      : check_(expected, examination) {}
  virtual ~FileReading() = default;
  FileReading(const FileReading&) = delete;
  FileReading& operator=(const FileReading&) = delete;

  [[nodiscard]] FileCheck& check() { return check_; }
  // The next bytes, read into `buffer`; none: the file has ended.
  virtual common::ByteView read(common::ReadBuffer& buffer) = 0;
  // Behind the last byte, once.
  virtual void conclude() = 0;

 private:
  FileCheck check_;
};

// Begins the i-th file; null: there is nothing to read.
using BeginFile = std::function<std::unique_ptr<FileReading>(std::size_t i)>;

// Calls begin(i) for every i in [0, count), in this order, and reads what it gives to its end, on up to
// `threads` threads (0: as many as the machine has). The first exception ends all.
void hash_files(std::size_t count, unsigned threads, const BeginFile& begin,
                const common::LaneChoice& choice = common::lane_choice());

}  // namespace packer
