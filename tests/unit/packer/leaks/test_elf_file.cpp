#include <elf.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include "packer/leaks/elf_file.hpp"
#include "tests/support/holds.hpp"

#include <doctest/doctest.h>

namespace {

// One segment, one section, and one that has no bytes in the file; in the order in which linkers write them.
struct SmallElf {
  Elf64_Ehdr file{};
  Elf64_Phdr segment{};
  char code[40] = "what is executed";
  Elf64_Shdr sections[3]{};
  SmallElf() {
    std::memcpy(file.e_ident, ELFMAG, SELFMAG);
    file.e_ident[EI_CLASS] = ELFCLASS64;
    file.e_ident[EI_DATA] = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
    file.e_phoff = sizeof file;
    file.e_phnum = 1;
    file.e_phentsize = sizeof segment;
    file.e_shoff = sizeof file + sizeof segment + sizeof code;
    file.e_shnum = 3;
    file.e_shentsize = sizeof(Elf64_Shdr);
    segment.p_filesz = sizeof file + sizeof segment + sizeof code;
    sections[1].sh_type = SHT_PROGBITS;
    sections[1].sh_offset = sizeof file + sizeof segment;
    sections[1].sh_size = sizeof code;
    sections[2].sh_type = SHT_NOBITS;
    sections[2].sh_offset = sizeof file;
    sections[2].sh_size = 1U << 20;
  }
  [[nodiscard]] common::Bytes bytes() const {
    common::Bytes bytes(sizeof *this);
    std::memcpy(bytes.data(), this, sizeof *this);
    return bytes;
  }
};

std::string damage(const SmallElf& elf) {
  return packer::damage_of_elf(common::ByteView(elf.bytes())).value_or("none");
}

using support::holds;

}  // namespace

TEST_CASE("a whole ELF file is taken, and none of its beginnings") {
  const common::Bytes whole = SmallElf().bytes();
  CHECK_FALSE(packer::damage_of_elf(common::ByteView(whole)));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    const common::Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    CHECK(packer::damage_of_elf(common::ByteView(part)));
  }
  CHECK(packer::damage_of_elf({}) == "empty");
}

TEST_CASE("an ELF file whose numbers point beyond its end is refused, however large they are") {
  constexpr std::uint64_t k_most = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t far : {std::uint64_t{1000}, k_most - 8, k_most}) {
    CAPTURE(far);
    SmallElf elf;
    elf.file.e_phoff = far;
    CHECK(holds(damage(elf), "truncated: its table of segments"));
    elf = {};
    elf.file.e_shoff = far;
    CHECK(holds(damage(elf), "truncated: its table of sections"));
    elf = {};
    elf.segment.p_filesz = far;
    CHECK(holds(damage(elf), "truncated: its segment"));
    elf = {};
    elf.segment.p_offset = far;
    CHECK(holds(damage(elf), "truncated: its segment"));
    elf = {};
    elf.sections[1].sh_offset = far;
    CHECK(holds(damage(elf), "truncated: its section"));
    elf = {};
    elf.sections[1].sh_size = far;
    CHECK(holds(damage(elf), "truncated: its section"));
  }
}

TEST_CASE("what is no ELF file, or one of another machine, is called that") {
  SmallElf elf;
  elf.file.e_ident[0] = 'M';
  CHECK(damage(elf) == "no ELF file");
  elf = {};
  elf.file.e_ident[EI_CLASS] = ELFCLASS32;
  CHECK(holds(damage(elf), "another kind of machine"));
  elf = {};
  elf.file.e_ident[EI_DATA] = elf.file.e_ident[EI_DATA] == ELFDATA2LSB ? ELFDATA2MSB : ELFDATA2LSB;
  CHECK(holds(damage(elf), "another kind of machine"));
  elf = {};
  elf.file.e_phnum = 0;
  CHECK(holds(damage(elf), "without segments"));
  elf = {};
  elf.file.e_shentsize = 1;
  CHECK(holds(damage(elf), "unknown sizes"));
}
