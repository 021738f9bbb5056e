// Key files as RFC 8410 prescribes them, made without the library that reads them.
#pragma once

#include <string>
#include <string_view>

#include "common/bytes.hpp"

namespace support {

inline common::Bytes from_hex(std::string_view hex) {
  common::Bytes bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

inline std::string base64(const common::Bytes& bytes) {
  static constexpr char k_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : k_digits[(group >> (18 - 6 * k)) & 63];
  }
  return text;
}

inline std::string pem(const std::string& label, const std::string& prefix_hex, const common::Bytes& raw) {
  common::Bytes der = from_hex(prefix_hex);
  der.insert(der.end(), raw.begin(), raw.end());
  return "-----BEGIN " + label + "-----\n" + base64(der) + "\n-----END " + label + "-----\n";
}

// RFC 8410, section 7: PKCS#8, version 0, id-Ed25519, an octet string in an octet string.
inline std::string secret_pem(const common::Bytes& seed) {
  return pem("PRIVATE KEY", "302e020100300506032b657004220420", seed);
}
// RFC 8410, section 4: SubjectPublicKeyInfo, id-Ed25519, a bit string.
inline std::string public_pem(const common::Bytes& raw) {
  return pem("PUBLIC KEY", "302a300506032b6570032100", raw);
}

}  // namespace support
