// The pictures of a pack.
#pragma once

#include "common/media/image.hpp"
#include "packer/check/open.hpp"

namespace trainer {

// Decoded as the packer decoded it. A seal says where bytes came from and not that they are harmless: what is
// larger than a picture may be is refused before it is read.
[[nodiscard]] common::Picture read_picture(const packer::VerifiedPack& pack, const common::PackPath& path);

}  // namespace trainer
