// What a person wants to know of a pack before using it, counted from its control files.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "packer/check/outline.hpp"
#include "packer/format/clip_remarks.hpp"

namespace packer {

struct SplitSummary {
  std::size_t clips = 0;
  double hours = 0;
};

struct PackSummary {
  std::uint64_t bytes = 0;  // of all files that the seal lists
  std::size_t clips = 0, images = 0;
  double hours = 0;
  std::map<std::string, SplitSummary> splits;  // by the folder below audio/
  std::map<int, std::size_t> rates_hz, channels;
  std::map<std::string, std::size_t> made;
  ClipRemarks remarks;
  ImageFacts smallest, largest;  // each side by itself; 0 where there is no image
};

[[nodiscard]] PackSummary summarise(const Outline& outline);

}  // namespace packer
