#include "common/digest.hpp"

#include <openssl/evp.h>

#include <new>

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
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() {
    if (context == nullptr) throw std::bad_alloc();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
  void start() {
    if (EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1)
      throw Error(ErrorKind::io, "OpenSSL cannot start SHA-256; check the OpenSSL configuration");
  }
};

Hasher::Hasher() : state_(std::make_unique<State>()) { state_->start(); }
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(ByteView bytes) {
  ENSURE(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

Digest Hasher::finish() {
  std::array<std::uint8_t, Digest::k_size> bytes{};
  ENSURE(EVP_DigestFinal_ex(state_->context, bytes.data(), nullptr) == 1);
  state_->start();
  return Digest(bytes);
}

Digest digest_of(ByteView bytes) {
  Hasher hasher;
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace common
