#include "packer/tar/ustar.hpp"

#include <algorithm>
#include <cstring>

#include "common/error.hpp"
#include "packer/format/names.hpp"

namespace packer {
namespace {

// Offsets and widths of POSIX.1-1988 ustar fields.
struct Field {
  std::size_t at;
  std::size_t width;
};
constexpr Field k_name{0, 100}, k_mode{100, 8}, k_uid{108, 8}, k_gid{116, 8}, k_size{124, 12},
    k_mtime{136, 12}, k_checksum{148, 8}, k_device_major{329, 8}, k_device_minor{337, 8};
constexpr std::size_t k_type_at = 156;
constexpr std::size_t k_magic_at = 257;

// Digits fill the field but for a final NUL.
void put_octal(UstarHeader& header, Field field, std::uint64_t value) {
  std::size_t at = field.at + field.width - 1;
  header[at] = 0;
  while (at-- > field.at) {
    header[at] = static_cast<std::uint8_t>('0' + (value & 7));
    value >>= 3;
  }
  ENSURE(value == 0);
}

}  // namespace

UstarHeader ustar_header(std::string_view name, std::uint64_t size) {
  ENSURE(!name.empty() && name.size() <= k_name.width);
  UstarHeader header{};
  std::memcpy(header.data(), name.data(), name.size());
  put_octal(header, k_mode, 0644);
  put_octal(header, k_uid, 0);
  put_octal(header, k_gid, 0);
  put_octal(header, k_size, size);
  put_octal(header, k_mtime, 0);
  header[k_type_at] = '0';
  std::memcpy(header.data() + k_magic_at, "ustar\00000", 8);
  put_octal(header, k_device_major, 0);
  put_octal(header, k_device_minor, 0);
  // The checksum counts its own field as spaces, has six digits, a NUL and a space: the one field GNU tar
  // ends so.
  std::memset(header.data() + k_checksum.at, ' ', k_checksum.width);
  std::uint64_t sum = 0;
  for (const std::uint8_t byte : header) sum += byte;
  put_octal(header, {k_checksum.at, k_checksum.width - 1}, sum);
  return header;
}

HeaderReading read_ustar_header(const UstarHeader& header) {
  HeaderReading reading;
  if (std::all_of(header.begin(), header.end(), [](std::uint8_t b) { return b == 0; })) {
    reading.fault = HeaderFault::zeros;
    return reading;
  }
  if (std::memcmp(header.data() + k_magic_at, "ustar", 5) != 0) {
    reading.fault = HeaderFault::not_ustar;
    return reading;
  }
  const auto* name = reinterpret_cast<const char*>(header.data());
  reading.member.name.assign(name, ::strnlen(name, k_name.width));
  reading.fault = HeaderFault::not_canonical;
  if (reading.member.name.empty()) return reading;
  std::uint64_t size = 0;
  for (std::size_t i = 0; i + 1 < k_size.width; ++i) {
    const std::uint8_t digit = header[k_size.at + i];
    if (digit < '0' || digit > '7') return reading;
    size = size * 8 + (digit - '0');
  }
  reading.member.size = size;
  if (ustar_header(reading.member.name, size) == header) reading.fault = HeaderFault::none;
  return reading;
}

}  // namespace packer
