// A shared library is mapped into the process, and one that was cut short ends the process with SIGBUS where
// its missing part is touched. So its size is held against what it says of itself before it is loaded.
#pragma once

#include <optional>
#include <string>

#include "common/bytes.hpp"

namespace packer {

// Why `bytes` are no whole ELF file of 64 bits in this machine's byte order; nothing where they are one. What
// lies inside its parts is not looked at.
[[nodiscard]] std::optional<std::string> damage_of_elf(common::ByteView bytes);

}  // namespace packer
