// Bytes, digests, names inside a pack, exit codes.
#include "common/bytes.hpp"
#include "common/digest.hpp"
#include "common/error.hpp"
#include "common/path.hpp"

#include <doctest/doctest.h>

using common::Error;
using common::ErrorKind;

TEST_CASE("integers are stored with the lowest byte first, and read back") {
  std::uint8_t bytes[8] = {};
  common::store_le(0x8877665544332211U, 8, bytes);
  CHECK(common::to_hex(bytes) == "1122334455667788");
  CHECK(common::load_le16(bytes) == 0x2211);
  CHECK(common::load_le32(bytes) == 0x44332211U);
  CHECK(common::load_le64(bytes) == 0x8877665544332211U);
}

TEST_CASE("a digest is SHA-256, of pieces as of the whole (FIPS 180-2, B.1 and B.2)") {
  CHECK(common::digest_of("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(common::digest_of("").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  common::Hasher hasher;
  hasher.update(common::view_of("a"));
  hasher.update(common::view_of("bc"));
  CHECK(hasher.finish() == common::digest_of("abc"));
  hasher.update(common::view_of("abc"));
  CHECK(hasher.finish() == common::digest_of("abc"));
}

TEST_CASE("a digest is parsed from exactly 64 lower-case hexadecimal digits") {
  const std::string hex = common::digest_of("abc").hex();
  REQUIRE(common::parse_digest(hex));
  CHECK(*common::parse_digest(hex) == common::digest_of("abc"));
  for (const std::string& text : {hex.substr(1), hex + '0', std::string(), std::string("B").append(hex, 1),
                                  std::string("g").append(hex, 1), std::string(" ").append(hex, 1)})
    CHECK_MESSAGE(!common::parse_digest(text), text);
}

TEST_CASE("a name in a pack has components of plain characters, none hidden") {
  for (const char* name : {"a", "audio/train/-668dhzzDQE.wav", "A-Z_0.9", "a/b/c", "a..b"})
    CHECK_MESSAGE(common::PackPath(name).text() == name, name);
  for (const char* name : {"", "/a", "a/", "a//b", ".", "..", "a/../b", ".a", "a/.b", "a b", "a\\b", "a\nb",
                           "\xc3\xa9", "C:a", "a\x7f"}) {
    CHECK_MESSAGE(!common::why_not_a_pack_path(name).empty(), name);
    CHECK_THROWS_AS(common::PackPath{name}, Error);
  }
  CHECK(!common::why_not_a_pack_path(std::string_view("a\0b", 3)).empty());
}

TEST_CASE("a name in a pack has at most 100 bytes") {
  CHECK(common::why_not_a_pack_path(std::string(100, 'a')).empty());
  CHECK(!common::why_not_a_pack_path(std::string(101, 'a')).empty());
}

TEST_CASE("names order by bytes, as LC_ALL=C sort does") {
  CHECK(common::PackPath("B") < common::PackPath("a"));
  CHECK(common::PackPath("a-b") < common::PackPath("a/b"));
}

TEST_CASE("each kind of error has its exit code") {
  CHECK(common::exit_code(ErrorKind::mismatch) == 1);
  CHECK(common::exit_code(ErrorKind::usage) == 2);
  CHECK(common::exit_code(ErrorKind::io) == 3);
  CHECK(common::exit_code(ErrorKind::format) == 3);
  CHECK(common::exit_code(ErrorKind::signature) == 4);
  CHECK(common::exit_code(ErrorKind::stopped) == 75);
  CHECK(common::exit_code(ErrorKind::interrupted) == 130);
}
