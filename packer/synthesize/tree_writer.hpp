// Where the files of a synthesised source tree are written: a draft folder.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>

#include "common/bytes.hpp"
#include "common/sealed/folder.hpp"

namespace packer {

// Writes new files and counts their bytes; safe from many threads. Nothing is synced: the whole draft is,
// once.
class TreeWriter {
 public:
  explicit TreeWriter(const common::Folder& root) : root_(root) {}
  // `name` is relative to the root; its folder must be there.
  void put(const std::filesystem::path& name, common::ByteView bytes);
  void make_folder(const std::filesystem::path& name);
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  const common::Folder& root_;
  std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace packer
