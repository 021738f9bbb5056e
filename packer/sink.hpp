// Where bytes go, front to back. Nothing is complete before finish(); a sink that is dropped publishes
// nothing.
#pragma once

#include <filesystem>

#include "common/bytes.hpp"
#include "common/file.hpp"

namespace packer {

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(common::ByteView bytes) = 0;
  virtual void finish() = 0;
};

// A new file; finish() syncs and closes it.
class FileSink : public Sink {
 public:
  explicit FileSink(std::filesystem::path path) : path_(std::move(path)), file_(common::create_new(path_)) {}
  void write(common::ByteView bytes) override { file_.write_all(bytes, path_); }
  void finish() override {
    file_.sync(path_);
    file_.close(path_);
  }

 private:
  std::filesystem::path path_;
  common::File file_;
};

}  // namespace packer
