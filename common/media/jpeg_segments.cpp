#include "common/media/jpeg_segments.hpp"

#include <algorithm>

namespace common {
namespace {

constexpr std::uint8_t k_start = 0xd8, k_end = 0xd9, k_scan = 0xda;

// TEM and the restart markers have no length and no body.
bool is_bare(std::uint8_t marker) { return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7); }

}  // namespace

// 0 where there is none: FF 00 is no marker either.
std::uint8_t JpegSegments::next_marker() {
  while (at_ < file_.size()) {
    while (at_ < file_.size() && file_[at_] != 0xff) ++at_;
    while (at_ < file_.size() && file_[at_] == 0xff) ++at_;
    if (at_ < file_.size() && file_[at_++] != 0) return file_[at_ - 1];
  }
  return 0;
}

std::optional<JpegSegment> JpegSegments::next() {
  std::uint8_t marker = next_marker();
  while (is_bare(marker)) marker = next_marker();
  if (marker == 0 || marker == k_start || marker == k_end || marker == k_scan) return std::nullopt;
  const std::size_t left = file_.size() - at_;
  if (left < 2) return std::nullopt;
  const std::size_t length = static_cast<std::size_t>(file_[at_]) << 8 | file_[at_ + 1];
  if (length < 2) return std::nullopt;
  const JpegSegment segment{marker, file_.subspan(at_ + 2, std::min(length, left) - 2)};
  at_ += std::min(length, left);
  return segment;
}

}  // namespace common
