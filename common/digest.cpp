// Deprecated since OpenSSL 3.0, but its EVP does not show the state, without which two messages cannot be
// hashed at once. Behind both stands the same code.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "common/digest.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <limits>

#include "common/error.hpp"

namespace common {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::optional<Digest> parse_digest(std::string_view hex) {
  if (hex.size() != 2 * Digest::k_size) return std::nullopt;
  std::array<std::uint8_t, Digest::k_size> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return Digest(bytes);
}

struct Hasher::State {
  SHA256_CTX context{};
  State() { start(); }
  void start() { ENSURE(SHA256_Init(&context) == 1); }
  // Afterwards the context waits for a whole block, or the view is empty.
  void complete_block(ByteView& bytes) {
    if (context.num == 0) return;
    const std::size_t count = std::min<std::size_t>(k_block_bytes - context.num, bytes.size());
    ENSURE(SHA256_Update(&context, bytes.data(), count) == 1);
    bytes = bytes.subspan(count);
  }
  void count_blocks(std::size_t blocks) {
    const std::uint64_t bits =
        (std::uint64_t{context.Nh} << 32 | context.Nl) + std::uint64_t{8} * k_block_bytes * blocks;
    context.Nl = static_cast<SHA_LONG>(bits);
    context.Nh = static_cast<SHA_LONG>(bits >> 32);
  }
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(ByteView bytes) {
  ENSURE(SHA256_Update(&state_->context, bytes.data(), bytes.size()) == 1);
}

Digest Hasher::finish() {
  std::array<std::uint8_t, Digest::k_size> bytes{};
  ENSURE(SHA256_Final(bytes.data(), &state_->context) == 1);
  state_->start();
  return Digest(bytes);
}

void update_together(std::span<const HashPiece> pieces, const LaneChoice& choice) {
  ENSURE(!pieces.empty());
  if (choice.kernel != nullptr && pieces.size() >= choice.worth_from) {
    ENSURE(pieces.size() <= choice.kernel->lanes);
    std::size_t least = std::numeric_limits<std::size_t>::max();
    for (const HashPiece& piece : pieces) {
      piece.hasher->state_->complete_block(*piece.bytes);
      least = std::min(least, piece.bytes->size());
    }
    const std::size_t blocks = least / k_block_bytes;
    std::array<std::uint32_t, 8> nobody{};  // the state of lanes that have no message
    std::array<std::uint32_t*, k_most_lanes> states{};
    std::array<const std::uint8_t*, k_most_lanes> messages{};
    states.fill(nobody.data());
    messages.fill(pieces.front().bytes->data());
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      states[i] = pieces[i].hasher->state_->context.h;
      messages[i] = pieces[i].bytes->data();
    }
    if (blocks > 0) choice.kernel->compress(states.data(), messages.data(), blocks);
    for (const HashPiece& piece : pieces) {
      piece.hasher->state_->count_blocks(blocks);
      *piece.bytes = piece.bytes->subspan(blocks * k_block_bytes);
    }
  }
  // The shortest has less than a block left, or is hashed alone.
  const HashPiece& shortest = *std::min_element(
      pieces.begin(), pieces.end(),
      [](const HashPiece& a, const HashPiece& b) { return a.bytes->size() < b.bytes->size(); });
  shortest.hasher->update(*shortest.bytes);
  *shortest.bytes = {};
}

Digest digest_of(ByteView bytes) {
  Hasher hasher;
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace common
