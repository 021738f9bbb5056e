// Ed25519 against the vectors of RFC 8032, section 7.1, and key files against RFC 8410.
#include <algorithm>
#include <array>
#include <filesystem>

#include "common/sealed/signing_key.hpp"

#include "common/bytes.hpp"
#include "common/error.hpp"
#include "tests/support/keys.hpp"
#include "tests/support/process.hpp"

#include <doctest/doctest.h>

namespace {

struct Vector {
  const char* secret;
  const char* public_half;
  const char* message;
  const char* signature;
};

// TEST 1, TEST 2 and TEST 3.
constexpr Vector k_vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f"
     "0"
     "595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2ea"
     "e"
     "b4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e"
     "9"
     "716ed28dc027beceea1ec40a"},
};

// The order of the group, 2^252 + 27742317777372353535851937790883648493, little-endian (RFC 8032, 5.1).
constexpr const char* k_order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

std::array<std::uint8_t, 32> array_of(const common::Bytes& bytes) {
  std::array<std::uint8_t, 32> array{};
  std::copy(bytes.begin(), bytes.end(), array.begin());
  return array;
}

}  // namespace

TEST_CASE("keys and signatures are those of RFC 8032") {
  const support::Scratch scratch;
  for (const Vector& vector : k_vectors) {
    const common::Bytes seed = support::from_hex(vector.secret), message = support::from_hex(vector.message);
    support::put_file(scratch / "KEY.pem", support::secret_pem(seed));
    std::filesystem::permissions(scratch / "KEY.pem", std::filesystem::perms(0600));
    const common::SecretKey key = common::read_secret_key(scratch / "KEY.pem");
    const common::PublicKey checker(array_of(support::from_hex(vector.public_half)));
    CHECK(key.public_key() == checker);
    const common::Signature signature = key.sign(message);
    CHECK(common::to_hex(signature) == vector.signature);
    CHECK(checker.verifies(message, signature));
    CHECK(key.pem() == support::secret_pem(seed));
    CHECK(checker.pem() == support::public_pem(support::from_hex(vector.public_half)));
  }
}

TEST_CASE("no flipped bit of a signature, message or key is accepted") {
  for (const Vector& vector : k_vectors) {
    const common::Bytes good_key = support::from_hex(vector.public_half),
                        good_message = support::from_hex(vector.message),
                        good_signature = support::from_hex(vector.signature);
    const auto flipped = [](common::Bytes bytes, std::size_t bit) {
      bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1U << (bit % 8)));
      return bytes;
    };
    const common::PublicKey key(array_of(good_key));
    for (std::size_t bit = 0; bit < 512; ++bit)
      CHECK_FALSE(key.verifies(good_message, flipped(good_signature, bit)));
    for (std::size_t bit = 0; bit < 8 * good_message.size(); ++bit)
      CHECK_FALSE(key.verifies(flipped(good_message, bit), good_signature));
    for (std::size_t bit = 0; bit < 256; ++bit)
      CHECK_FALSE(common::PublicKey(array_of(flipped(good_key, bit))).verifies(good_message, good_signature));
    CHECK_FALSE(key.verifies(common::view_of("other"), good_signature));
  }
}

TEST_CASE("nobody can make a second signature out of one, by adding the order of the group") {
  for (const Vector& vector : k_vectors) {
    common::Bytes signature = support::from_hex(vector.signature);
    const common::Bytes order = support::from_hex(k_order);
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      carry += signature[32 + i] + order[i];
      signature[32 + i] = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    REQUIRE(carry == 0);
    const common::PublicKey key(array_of(support::from_hex(vector.public_half)));
    CHECK_FALSE(key.verifies(support::from_hex(vector.message), signature));
  }
}

// "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020), table 5: the points of small order, and
// the encodings beside the one that RFC 8032 allows.
TEST_CASE("a key of small order, for which anybody signs, is no key to trust, in none of its encodings") {
  const support::Scratch scratch;
  const char* const weak[] = {
      "0100000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000080",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000080",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      // y = 3 as p + 3, and the largest that 255 bits hold.
      "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  };
  for (const char* const hex : weak) {
    CAPTURE(hex);
    CHECK(common::PublicKey(array_of(support::from_hex(hex))).is_weak());
    support::put_file(scratch / "KEY.pub.pem", support::public_pem(support::from_hex(hex)));
    CHECK_THROWS_WITH_AS((void)common::read_public_key(scratch / "KEY.pub.pem"),
                         doctest::Contains("anybody can make signatures"), common::Error);
  }
  for (const Vector& vector : k_vectors)
    CHECK_FALSE(common::PublicKey(array_of(support::from_hex(vector.public_half))).is_weak());
}

// With the neutral point for a key, S = 0 and R the neutral point sign every message: OpenSSL accepts it.
TEST_CASE("a signature that holds for every message is none") {
  common::Bytes neutral(32, 0), signature(64, 0);
  neutral[0] = signature[0] = 1;
  const common::PublicKey key(array_of(neutral));
  CHECK_FALSE(key.verifies(common::view_of("any"), signature));
  CHECK_FALSE(key.verifies(common::view_of("other"), signature));
}

TEST_CASE("a secret key that others can read does not sign") {
  const support::Scratch scratch;
  const auto key = scratch / "KEY.pem";
  support::put_file(key, support::secret_pem(support::from_hex(k_vectors[0].secret)));
  for (const int mode : {0644, 0640, 0604, 0660, 0620, 0610, 0601}) {
    std::filesystem::permissions(key, std::filesystem::perms(mode));
    CHECK_THROWS_WITH_AS((void)common::read_secret_key(key), doctest::Contains("run chmod 600"),
                         common::Error);
  }
  for (const int mode : {0600, 0400, 0700}) {
    std::filesystem::permissions(key, std::filesystem::perms(mode));
    CHECK_NOTHROW((void)common::read_secret_key(key));
  }
}
