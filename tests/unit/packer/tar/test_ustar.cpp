#include "packer/format/contents.hpp"
#include "packer/tar/ustar.hpp"

#include <string>

#include <doctest/doctest.h>

using packer::HeaderFault;

TEST_CASE("a header says its name and size again") {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{511}, std::uint64_t{512},
                                   (std::uint64_t{8} << 30) - 1}) {
    for (const std::string& name : {std::string("p/a"), std::string(100, 'x')}) {
      const auto reading = packer::read_ustar_header(packer::ustar_header(name, size));
      CHECK(reading.fault == HeaderFault::none);
      CHECK(reading.member.name == name);
      CHECK(reading.member.size == size);
    }
  }
}

TEST_CASE("no other byte anywhere in a header is accepted as the same member") {
  const packer::UstarHeader good = packer::ustar_header("pack/images/a.jpg", 1234);
  int accepted_as_another = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      packer::UstarHeader bad = good;
      bad[at] = static_cast<std::uint8_t>(value);
      if (bad == good) continue;
      if (packer::read_ustar_header(bad).fault == HeaderFault::none) ++accepted_as_another;
    }
  }
  // One byte changes the sum, and the sum's own field is compared too.
  CHECK(accepted_as_another == 0);
}

TEST_CASE("a block of zeros and a block that is no tar are told apart") {
  CHECK(packer::read_ustar_header({}).fault == HeaderFault::zeros);
  packer::UstarHeader text{};
  text[0] = 'x';
  CHECK(packer::read_ustar_header(text).fault == HeaderFault::not_ustar);
}

TEST_CASE("an archive is a whole number of records with two zero blocks at least") {
  for (std::uint64_t end = 0; end < 3 * packer::k_record_bytes; end += packer::k_block_bytes) {
    const std::uint64_t trailer = packer::trailer_after(end);
    CHECK((end + trailer) % packer::k_record_bytes == 0);
    CHECK(trailer >= 2 * packer::k_block_bytes);
    CHECK(trailer < 2 * packer::k_block_bytes + packer::k_record_bytes);
  }
}

TEST_CASE("control files come before media, each group by path bytes") {
  std::vector<packer::PackFile> files;
  for (const char* path : {"README.txt", "audio/train/a.wav", "images/a.jpg", "manifest.json", "pack.json"})
    files.push_back({common::PackPath(path), 0, {}});
  CHECK(packer::order_behind_info(files) == std::vector<std::size_t>{0, 3, 1, 2});
}
