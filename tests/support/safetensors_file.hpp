// A safetensors file whose header is the text that a test gives, true or not, before zeros.
#pragma once

#include <algorithm>
#include <string>

#include "common/bytes.hpp"

namespace support {

inline common::Bytes safetensors_file(const std::string& header, std::size_t data_bytes) {
  common::Bytes file(8 + header.size() + data_bytes);
  common::store_le(header.size(), 8, file.data());
  std::copy(header.begin(), header.end(), file.begin() + 8);
  return file;
}

}  // namespace support
