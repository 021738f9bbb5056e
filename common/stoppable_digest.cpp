#include "common/stoppable_digest.hpp"

#include "common/program.hpp"

namespace common {

FileDigest digest_or_stop(const File& file, const std::filesystem::path& name) {
  constexpr std::size_t k_piece_bytes = 128 << 10;
  ReadBuffer buffer(k_piece_bytes);
  Hasher hasher;
  FileDigest result;
  for (;;) {
    throw_if_stop_requested();
    const std::size_t got = file.read_at(buffer.data(), buffer.size(), result.size, name);
    if (got == 0) break;
    hasher.update({buffer.data(), got});
    result.size += got;
  }
  result.digest = hasher.finish();
  return result;
}

}  // namespace common
