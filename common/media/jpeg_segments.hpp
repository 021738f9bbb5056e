// The segments of a JPEG before its first scan (ITU-T T.81, B.1.1), found as libjpeg finds them: bytes
// between segments that are no marker are passed over, and 0xFF may be repeated before a marker's code.
#pragma once

#include <optional>

#include "common/bytes.hpp"

namespace common {

struct JpegSegment {
  std::uint8_t marker = 0;
  ByteView body;  // without marker and length; ends with the file at the latest
};

class JpegSegments {
 public:
  // `file`, or its beginning, has FF D8 as its first two bytes.
  explicit JpegSegments(ByteView file) : file_(file) {}
  // Nothing at the first scan, at the end marker, where the file ends and where a length makes no sense.
  [[nodiscard]] std::optional<JpegSegment> next();

 private:
  [[nodiscard]] std::uint8_t next_marker();

  ByteView file_;
  std::size_t at_ = 2;
};

}  // namespace common
