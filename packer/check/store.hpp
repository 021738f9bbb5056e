// Where the bytes of a pack's files lie: in a folder, or inside one .tar that is read in place. Reads are
// safe from many threads, never follow a link, and never map a file into memory (a file cut short would be a
// SIGBUS).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "common/bytes.hpp"
#include "common/file.hpp"
#include "common/path.hpp"
#include "common/sealed/folder.hpp"

namespace packer {

using PieceCall = std::function<void(common::ByteView)>;

class Store {
 public:
  [[nodiscard]] static Store of_folder(std::shared_ptr<const common::Folder> folder);
  [[nodiscard]] static Store of_tar(std::shared_ptr<const common::File> file, std::filesystem::path name);

  [[nodiscard]] bool is_folder() const { return tar_ == nullptr; }
  // The whole file of a folder, in pieces that fit the processor's cache.
  void read_pieces(const common::PackPath& path, const PieceCall& call) const;
  // `size` bytes at `offset` of a .tar, fewer where the file ends.
  void read_pieces(std::uint64_t offset, std::uint64_t size, const PieceCall& call) const;

 private:
  std::filesystem::path location_;
  std::shared_ptr<const common::Folder> folder_;
  std::shared_ptr<const common::File> tar_;
};

}  // namespace packer
