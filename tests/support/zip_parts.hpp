// A zip put together field by field (APPNOTE 6.3): what no program writes that means well, and zip64 without
// four gigabytes.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace support {

// A stored file; what is set of the rest stands in the directory in the place of the truth.
struct ZipPart {
  std::string name, bytes;
  unsigned mode = 0100644;  // of Unix, in the upper half of the external attributes
  unsigned method = 0, flags = 0;
  std::optional<std::uint64_t> size{}, packed{}, offset{};
  std::optional<std::uint32_t> crc{};
};

// wide: every size and offset stands in a zip64 field, as where it needs more than 32 bits.
enum class ZipWidth { narrow, wide };

inline std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

inline std::uint32_t crc_of(const std::string& bytes) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

// The fields that a local header and an entry of the directory share, from "version needed" on.
inline std::string zip_fields(const ZipPart& part, std::uint64_t packed, std::uint64_t size,
                              std::size_t extra_bytes, ZipWidth width) {
  const bool wide = width == ZipWidth::wide;
  return little_endian(wide ? 45 : 20, 2) + little_endian(part.flags, 2) + little_endian(part.method, 2) +
         little_endian(0, 4) + little_endian(part.crc.value_or(crc_of(part.bytes)), 4) +
         little_endian(wide ? 0xffffffff : packed, 4) + little_endian(wide ? 0xffffffff : size, 4) +
         little_endian(part.name.size(), 2) + little_endian(extra_bytes, 2);
}

inline std::string zip_local(const ZipPart& part, ZipWidth width) {
  const std::uint64_t size = part.bytes.size();
  std::string extra;
  if (width == ZipWidth::wide)
    extra = little_endian(1, 2) + little_endian(16, 2) + little_endian(size, 8) + little_endian(size, 8);
  return "PK\3\4" + zip_fields(part, size, size, extra.size(), width) + part.name + extra + part.bytes;
}

inline std::string zip_entry(const ZipPart& part, std::uint64_t offset, ZipWidth width) {
  constexpr unsigned k_made_by_unix = 3 << 8 | 20;
  const bool wide = width == ZipWidth::wide;
  const std::uint64_t packed = part.packed.value_or(part.bytes.size());
  const std::uint64_t size = part.size.value_or(part.bytes.size());
  std::string extra;
  if (wide)
    extra = little_endian(1, 2) + little_endian(24, 2) + little_endian(size, 8) + little_endian(packed, 8) +
            little_endian(offset, 8);
  return "PK\1\2" + little_endian(k_made_by_unix, 2) + zip_fields(part, packed, size, extra.size(), width) +
         little_endian(0, 2) /* comment */ + little_endian(0, 2) /* disk */ + little_endian(0, 2) +
         little_endian(std::uint64_t{part.mode} << 16, 4) + little_endian(wide ? 0xffffffff : offset, 4) +
         part.name + extra;
}

// `count`: what the end says of the number of entries, where that is not the truth.
inline std::string zip_of(const std::vector<ZipPart>& parts, ZipWidth width = ZipWidth::narrow,
                          std::optional<std::uint64_t> count = {}) {
  std::string zip, directory;
  for (const ZipPart& part : parts) {
    directory += zip_entry(part, part.offset.value_or(zip.size()), width);
    zip += zip_local(part, width);
  }
  const std::uint64_t begin = zip.size(), entries = count.value_or(parts.size());
  zip += directory;
  const bool wide = width == ZipWidth::wide;
  if (wide) {
    const std::uint64_t end = zip.size();
    zip += "PK\6\6" + little_endian(44, 8) + little_endian(45, 2) + little_endian(45, 2) +
           little_endian(0, 4) + little_endian(0, 4) + little_endian(entries, 8) + little_endian(entries, 8) +
           little_endian(directory.size(), 8) + little_endian(begin, 8);
    zip += "PK\6\7" + little_endian(0, 4) + little_endian(end, 8) + little_endian(1, 4);
  }
  return zip + "PK\5\6" + little_endian(0, 4) + little_endian(wide ? 0xffff : entries, 2) +
         little_endian(wide ? 0xffff : entries, 2) + little_endian(wide ? 0xffffffff : directory.size(), 4) +
         little_endian(wide ? 0xffffffff : begin, 4) + little_endian(0, 2);
}

}  // namespace support
