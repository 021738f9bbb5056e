#include "packer/check/store.hpp"

#include <algorithm>

#include "common/error.hpp"

namespace packer {
namespace {

// Small enough to be hashed out of the second-level cache it was read into; larger pieces cost 5 to 10 %.
constexpr std::size_t k_piece_bytes = 128 << 10;

std::uint64_t pieces_of(const common::File& file, std::uint64_t offset, std::uint64_t size,
                        const std::filesystem::path& name, const PieceCall& call) {
  thread_local common::ReadBuffer buffer(k_piece_bytes);
  std::uint64_t done = 0;
  while (done < size) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(k_piece_bytes, size - done));
    const std::size_t got = file.read_at(buffer.data(), want, offset + done, name);
    if (got == 0) break;
    call({buffer.data(), got});
    done += got;
  }
  return done;
}

}  // namespace

Store Store::of_folder(std::shared_ptr<const common::Folder> folder) {
  Store store;
  store.location_ = folder->path();
  store.folder_ = std::move(folder);
  return store;
}

Store Store::of_tar(std::shared_ptr<const common::File> file, std::filesystem::path name) {
  Store store;
  store.location_ = std::move(name);
  store.tar_ = std::move(file);
  return store;
}

void Store::read_pieces(const common::PackPath& path, const PieceCall& call) const {
  ENSURE(is_folder());
  const common::File file = folder_->open_to_read(path.text());
  pieces_of(file, 0, UINT64_MAX, folder_->path_of(path.text()), call);
}

void Store::read_pieces(std::uint64_t offset, std::uint64_t size, const PieceCall& call) const {
  ENSURE(!is_folder());
  pieces_of(*tar_, offset, size, location_, call);
}

}  // namespace packer
