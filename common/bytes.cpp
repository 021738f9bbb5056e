#include "common/bytes.hpp"

namespace common {

std::string to_hex(ByteView bytes) {
  static constexpr char k_digits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    hex.push_back(k_digits[byte >> 4]);
    hex.push_back(k_digits[byte & 15]);
  }
  return hex;
}

}  // namespace common
