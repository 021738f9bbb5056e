// What an export wrote. A verified pack can be had in other people's forms; each is written to a draft and
// appears whole. None is ever read back: what proves the data is the pack and its id, which each form names.
#pragma once

#include <cstddef>
#include <cstdint>

namespace packer {

struct ExportSummary {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};

}  // namespace packer
