// One of several shares of a pack's media, so that many processes or hosts hash a pack together. Who has
// which files follows from the seal and pack.json alone: nobody asks another, and two of the same pack agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "packer/format/contents.hpp"

namespace packer {

inline constexpr std::uint64_t k_part_limit = 4096;

struct Part {
  std::uint64_t number = 1, count = 1;  // 1 <= number <= count <= k_part_limit
  bool operator==(const Part&) const = default;
};

// "2/4".
[[nodiscard]] std::string describe(Part part);
// "2/4", or "auto": the process's number under SLURM (SLURM_PROCID and SLURM_NTASKS). A usage error for
// anything else.
[[nodiscard]] Part parse_part(std::string_view text);

// A run of the pack's files, as indices. The shares of 1/N … N/N do not overlap and have every file.
struct Share {
  std::size_t begin = 0, end = 0;
  std::size_t files = 0;    // of them, media: control files are read by everybody
  std::uint64_t bytes = 0;  // of these
  [[nodiscard]] bool has(std::size_t index) const { return begin <= index && index < end; }
};

// Of about equal work: the bytes, and what it costs to open a file. `files` in the order of the seal.
[[nodiscard]] Share share_of(const std::vector<PackFile>& files, Part part);

}  // namespace packer
