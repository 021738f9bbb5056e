// An archive taken apart and put together in other ways: what attackers and other programs make.
#pragma once

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "packer/tar/ustar.hpp"

namespace support {

// The checksum that the header should have, in the form that GNU tar and we write it.
inline void set_checksum(std::string& header) {
  std::memset(header.data() + 148, ' ', 8);
  unsigned sum = 0;
  for (std::size_t i = 0; i < packer::k_block_bytes; ++i) sum += static_cast<unsigned char>(header[i]);
  std::snprintf(header.data() + 148, 8, "%06o", sum);
  header[155] = ' ';
}

inline std::string zeros(std::uint64_t count) { return std::string(static_cast<std::size_t>(count), '\0'); }

// Header, bytes and padding of a file.
inline std::string tar_member(const std::string& name, const std::string& bytes) {
  const packer::UstarHeader header = packer::ustar_header(name, bytes.size());
  return std::string(header.begin(), header.end()) + bytes + zeros(packer::padding_after(bytes.size()));
}

// The same with another type and link name; `header` may be changed before its checksum is set.
template <typename Edit>
std::string tar_member(const std::string& name, const std::string& bytes, const Edit& edit) {
  std::string member = tar_member(name, bytes);
  edit(member);
  set_checksum(member);
  return member;
}
inline std::string tar_link(const std::string& name, char type, const std::string& to) {
  return tar_member(name, "", [&](std::string& header) {
    header[156] = type;
    std::memcpy(header.data() + 157, to.data(), to.size());
  });
}

// The members of a canonical archive.
inline std::vector<std::string> tar_parts(const std::string& tar) {
  std::vector<std::string> parts;
  for (std::size_t at = 0;;) {
    packer::UstarHeader header{};
    std::memcpy(header.data(), tar.data() + at, header.size());
    const auto reading = packer::read_ustar_header(header);
    if (reading.fault != packer::HeaderFault::none) return parts;
    const auto size = static_cast<std::size_t>(packer::member_bytes(reading.member.size));
    parts.push_back(tar.substr(at, size));
    at += size;
  }
}

inline std::string tar_of(const std::vector<std::string>& parts) {
  std::string tar;
  for (const std::string& part : parts) tar += part;
  return tar + zeros(packer::trailer_after(tar.size()));
}

}  // namespace support
