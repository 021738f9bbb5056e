// Two messages hashed at once give the digests of each by itself.
#include "common/digest.hpp"
#include "common/digest_pair.hpp"

#include <algorithm>
#include <random>

#include <doctest/doctest.h>

using common::Bytes;
using common::ByteView;
using common::Hasher;

namespace {

Bytes noise(std::size_t size, std::mt19937& random) {
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

// Feeds both in pieces of random sizes, as files of different lengths come.
void feed(Hasher& a, ByteView of_a, Hasher& b, ByteView of_b, std::size_t piece_bytes, std::mt19937& random) {
  ByteView piece_a, piece_b;
  const auto refill = [&](ByteView& piece, ByteView& rest) {
    if (!piece.empty()) return;
    const std::size_t size = std::min<std::size_t>(rest.size(), 1 + random() % piece_bytes);
    piece = rest.first(size);
    rest = rest.subspan(size);
  };
  for (;;) {
    refill(piece_a, of_a);
    refill(piece_b, of_b);
    if (piece_a.empty() || piece_b.empty()) break;
    common::update_both(a, piece_a, b, piece_b);
    CHECK((piece_a.empty() || piece_b.empty()));
  }
  a.update(piece_a);
  a.update(of_a);
  b.update(piece_b);
  b.update(of_b);
}

}  // namespace

TEST_CASE("two messages hashed at once have the digests that each has by itself, whatever their pieces") {
  MESSAGE("compresses pairs: " << common::can_compress_pairs());
  std::mt19937 random(20);
  for (int i = 0; i < 3000; ++i) {
    const std::size_t limit = std::size_t{1} << (random() % 16);
    const Bytes one = noise(random() % limit, random), other = noise(random() % limit, random);
    Hasher a, b;
    feed(a, one, b, other, 1 + random() % limit, random);
    CAPTURE(i);
    CAPTURE(one.size());
    CAPTURE(other.size());
    CHECK(a.finish() == common::digest_of(one));
    CHECK(b.finish() == common::digest_of(other));
  }
}

TEST_CASE(
    "a million letters have the digest that the standard states (FIPS 180-2, B.3), hashed at once with "
    "others") {
  const Bytes letters(1'000'000, 'a'), others(1'000'000, 'b');
  const char* digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  for (const bool first : {true, false}) {
    Hasher one, other;
    ByteView of_one = first ? letters : others, of_other = first ? others : letters;
    common::update_both(one, of_one, other, of_other);
    one.update(of_one);
    other.update(of_other);
    CHECK((first ? one : other).finish().hex() == digest);
    CHECK((first ? other : one).finish() == common::digest_of(others));
  }
}

TEST_CASE("a message beyond 2^32 bits hashed in pairs is as long as it is") {
  // 512 MiB and more: the length in bits needs its upper word.
  const Bytes piece(1 << 20, 'x');
  Hasher a, b, alone;
  for (int i = 0; i < 513; ++i) {
    ByteView of_a = piece, of_b = piece;
    common::update_both(a, of_a, b, of_b);
    a.update(of_a);
    b.update(of_b);
    alone.update(piece);
  }
  const common::Digest expected = alone.finish();
  CHECK(a.finish() == expected);
  CHECK(b.finish() == expected);
}
