// Messages hashed at once have the digests of each by itself, by every kernel that this processor can run;
// and the kernel of sixteen also where no processor with AVX-512 is at hand, compiled for any.
#define OPENSSL_SUPPRESS_DEPRECATED
#pragma GCC diagnostic ignored "-Wpsabi"  // wide vectors are passed to nobody else

#include "common/digest_lanes.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "common/digest.hpp"
#include "common/digest_kernel.hpp"

#include <doctest/doctest.h>

using common::Bytes;
using common::ByteView;
using common::Hasher;

namespace {

void compress_sixteen(std::uint32_t* const* states, const std::uint8_t* const* messages, std::size_t blocks) {
  using Words [[gnu::vector_size(64)]] = std::uint32_t;
  using Octets [[gnu::vector_size(64)]] = std::uint8_t;
  common::Kernel<Words, Octets>::run(states, messages, blocks);
}

std::vector<common::LaneKernel> all_kernels() {
  std::vector<common::LaneKernel> kernels(common::lane_kernels().begin(), common::lane_kernels().end());
  kernels.push_back({"sixteen, for any processor", 16, compress_sixteen});
  return kernels;
}

Bytes noise(std::size_t size, std::mt19937& random) {
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

struct Message {
  Bytes bytes;
  Hasher hasher;
  ByteView rest, piece;
};

// Feeds all in pieces of random sizes, as files of different lengths come.
void hash_together(std::vector<Message>& messages, std::size_t piece_bytes, std::mt19937& random,
                   const common::LaneChoice& choice = common::lane_choice()) {
  for (Message& one : messages) one.rest = one.bytes;
  for (;;) {
    std::vector<common::HashPiece> pieces;
    for (Message& one : messages) {
      if (one.piece.empty()) {
        one.piece = one.rest.first(std::min<std::size_t>(one.rest.size(), 1 + random() % piece_bytes));
        one.rest = one.rest.subspan(one.piece.size());
      }
      if (!one.piece.empty()) pieces.push_back({&one.hasher, &one.piece});
    }
    if (pieces.empty()) return;
    common::update_together(pieces, choice);
    CHECK(std::any_of(pieces.begin(), pieces.end(), [](const auto& one) { return one.bytes->empty(); }));
  }
}

}  // namespace

TEST_CASE(
    "messages hashed at once have the digests that each has by itself, whatever their number and pieces") {
  std::mt19937 random(20);
  const std::vector<common::LaneKernel> kernels = all_kernels();
  std::vector<common::LaneChoice> choices(1);  // one after the other
  for (const common::LaneKernel& kernel : kernels) choices.push_back({&kernel, 1 + random() % kernel.lanes});
  for (const common::LaneChoice& choice : choices)
    for (int i = 0; i < 500; ++i) {
      const std::size_t limit = std::size_t{1} << (random() % 14);
      std::vector<Message> messages(1 + random() % choice.lanes());
      for (Message& one : messages) one.bytes = noise(random() % limit, random);
      hash_together(messages, 1 + random() % limit, random, choice);
      CAPTURE(choice.lanes());
      CAPTURE(i);
      for (Message& one : messages) {
        CAPTURE(one.bytes.size());
        CHECK(one.hasher.finish() == common::digest_of(one.bytes));
      }
    }
}

TEST_CASE("each kernel compresses as OpenSSL does, also the one of sixteen on a processor without AVX-512") {
  std::mt19937 random(21);
  for (const common::LaneKernel& kernel : all_kernels()) {
    const std::string name = kernel.name;
    CAPTURE(name);
    for (const std::size_t blocks : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{37}}) {
      CAPTURE(blocks);
      std::vector<Bytes> messages;
      std::vector<std::array<std::uint32_t, 8>> words(kernel.lanes);
      std::vector<std::uint32_t*> states;
      std::vector<const std::uint8_t*> starts;
      std::vector<SHA256_CTX> expected(kernel.lanes);
      for (std::size_t lane = 0; lane < kernel.lanes; ++lane) {
        messages.push_back(noise(blocks * common::k_block_bytes + lane, random));
        for (std::uint32_t& word : words[lane]) word = static_cast<std::uint32_t>(random());
        SHA256_Init(&expected[lane]);
        std::copy(words[lane].begin(), words[lane].end(), expected[lane].h);
        // Messages begin at any address.
        SHA256_Update(&expected[lane], messages[lane].data() + lane, blocks * common::k_block_bytes);
      }
      for (std::size_t lane = 0; lane < kernel.lanes; ++lane) {
        states.push_back(words[lane].data());
        starts.push_back(messages[lane].data() + lane);
      }
      kernel.compress(states.data(), starts.data(), blocks);
      for (std::size_t lane = 0; lane < kernel.lanes; ++lane) {
        CAPTURE(lane);
        CHECK(std::equal(words[lane].begin(), words[lane].end(), expected[lane].h));
      }
    }
  }
}

TEST_CASE(
    "a million letters have the digest that the standard states (FIPS 180-2, B.3), hashed at once with "
    "others") {
  const char* digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  std::mt19937 random(22);
  for (std::size_t place = 0; place < common::lane_choice().lanes(); ++place) {
    std::vector<Message> messages(common::lane_choice().lanes());
    for (Message& one : messages) one.bytes = Bytes(1'000'000, 'b');
    messages[place].bytes = Bytes(1'000'000, 'a');
    hash_together(messages, 1 << 17, random);
    CHECK(messages[place].hasher.finish().hex() == digest);
  }
}

TEST_CASE("messages beyond 2^32 bits hashed at once are as long as they are") {
  // 512 MiB and more: the length in bits needs its upper word.
  const Bytes piece(1 << 20, 'x');
  std::vector<Hasher> together(common::lane_choice().lanes());
  Hasher alone;
  for (int i = 0; i < 513; ++i) {
    std::vector<ByteView> views(together.size(), piece);
    std::vector<common::HashPiece> pieces;
    for (std::size_t k = 0; k < together.size(); ++k) pieces.push_back({&together[k], &views[k]});
    common::update_together(pieces);
    for (std::size_t k = 0; k < together.size(); ++k) together[k].update(views[k]);
    alone.update(piece);
  }
  const common::Digest expected = alone.finish();
  for (Hasher& one : together) CHECK(one.finish() == expected);
}
