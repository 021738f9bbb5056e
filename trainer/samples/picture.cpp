#include "trainer/samples/picture.hpp"

namespace trainer {

common::Picture read_picture(const packer::VerifiedPack& pack, const common::PackPath& path) {
  const std::uint64_t bytes = pack.size(path);
  if (bytes > common::k_picture_limit_bytes) common::refuse_long_picture(path.text(), bytes);
  return common::decode_picture(pack.read(path), path.text());
}

}  // namespace trainer
