#include "packer/leaks/elf_file.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <bit>
#include <cstring>

namespace packer {
namespace {

constexpr int k_our_order = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

// [begin, begin + length) within the file; neither number is trusted.
bool reaches(common::ByteView bytes, std::uint64_t begin, std::uint64_t length) {
  return begin <= bytes.size() && length <= bytes.size() - begin;
}

std::string beyond(const char* part, std::uint64_t begin, std::uint64_t length, std::size_t size) {
  return fmt::format("truncated: its {} of {} bytes begins at byte {}, the file has {} bytes", part, length,
                     begin, size);
}

template <typename Header>
Header header_at(common::ByteView bytes, std::uint64_t offset) {
  Header header;
  std::memcpy(&header, bytes.data() + offset, sizeof header);
  return header;
}

}  // namespace

std::optional<std::string> damage_of_elf(common::ByteView bytes) {
  if (bytes.empty()) return "empty";
  if (bytes.size() < SELFMAG || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0) return "no ELF file";
  if (bytes.size() < sizeof(Elf64_Ehdr)) return beyond("header", 0, sizeof(Elf64_Ehdr), bytes.size());
  const auto file = header_at<Elf64_Ehdr>(bytes, 0);
  if (file.e_ident[EI_CLASS] != ELFCLASS64 || file.e_ident[EI_DATA] != k_our_order)
    return "an ELF file of another kind of machine";
  if (file.e_phnum == 0 || file.e_phentsize != sizeof(Elf64_Phdr) ||
      (file.e_shnum != 0 && file.e_shentsize != sizeof(Elf64_Shdr)))
    return "an ELF file without segments, or with entries of unknown sizes";
  // Linkers write the table of sections last: where it is whole, nothing was cut off.
  const std::uint64_t segments = std::uint64_t{file.e_phnum} * sizeof(Elf64_Phdr),
                      sections = std::uint64_t{file.e_shnum} * sizeof(Elf64_Shdr);
  if (!reaches(bytes, file.e_phoff, segments))
    return beyond("table of segments", file.e_phoff, segments, bytes.size());
  if (!reaches(bytes, file.e_shoff, sections))
    return beyond("table of sections", file.e_shoff, sections, bytes.size());
  for (std::uint64_t i = 0; i < file.e_phnum; ++i) {
    const auto part = header_at<Elf64_Phdr>(bytes, file.e_phoff + i * sizeof(Elf64_Phdr));
    if (!reaches(bytes, part.p_offset, part.p_filesz))
      return beyond("segment", part.p_offset, part.p_filesz, bytes.size());
  }
  for (std::uint64_t i = 0; i < file.e_shnum; ++i) {
    const auto part = header_at<Elf64_Shdr>(bytes, file.e_shoff + i * sizeof(Elf64_Shdr));
    if (part.sh_type != SHT_NOBITS && !reaches(bytes, part.sh_offset, part.sh_size))
      return beyond("section", part.sh_offset, part.sh_size, bytes.size());
  }
  return std::nullopt;
}

}  // namespace packer
