// Writing the compressed forms of an archive.
#pragma once

#include <memory>

#include "common/sink.hpp"
#include "packer/tar/compression.hpp"

namespace packer {

// Compresses into `to`, which must live longer. The tar bytes inside are promised, the compressed ones are
// not.
[[nodiscard]] std::unique_ptr<common::Sink> compress(Compression form, common::Sink& to, unsigned threads);

}  // namespace packer
