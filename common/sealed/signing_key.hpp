// Ed25519 keys (RFC 8032) and their files as `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout`
// write them (RFC 8410, PEM). One algorithm and one form, so that there is nothing to negotiate: a key file
// that holds anything else is an error that says what it holds.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include "common/bytes.hpp"
#include "common/sealed/sums.hpp"

namespace common {

using Signature = std::array<std::uint8_t, k_signature_bytes>;

class PublicKey {
 public:
  static constexpr std::size_t k_size = 32;
  explicit PublicKey(const std::array<std::uint8_t, k_size>& bytes) : bytes_(bytes) {}
  // Whether anybody could sign for it: the bytes are one of the eight points of small order, or no point's
  // one encoding (RFC 8032, 5.1.3: y below 2^255 - 19, and no sign where x is 0). For such a key there are
  // signatures that hold for any message.
  [[nodiscard]] bool is_weak() const;
  // Whether `signature` is this key's, over exactly these bytes. Never where the key is weak. S must be below
  // the group's order, and R must be the very bytes that follow from S and the key, so neither has a second
  // form.
  [[nodiscard]] bool verifies(ByteView message, ByteView signature) const;
  // SubjectPublicKeyInfo, "-----BEGIN PUBLIC KEY-----".
  [[nodiscard]] std::string pem() const;
  bool operator==(const PublicKey&) const = default;

 private:
  std::array<std::uint8_t, k_size> bytes_;
};

// Move-only; its bytes leave it as pem() only.
class SecretKey {
 public:
  [[nodiscard]] static SecretKey generate();
  ~SecretKey();
  SecretKey(SecretKey&&) noexcept;
  SecretKey& operator=(SecretKey&&) noexcept;

  [[nodiscard]] PublicKey public_key() const;
  // Deterministic: equal keys and messages give equal signatures.
  [[nodiscard]] Signature sign(ByteView message) const;
  // PKCS#8, "-----BEGIN PRIVATE KEY-----", without a passphrase.
  [[nodiscard]] std::string pem() const;

 private:
  struct State;
  explicit SecretKey(std::unique_ptr<State> state);
  friend SecretKey read_secret_key(const std::filesystem::path& path);
  std::unique_ptr<State> state_;
};

// Both follow links: the user names a key, wherever it is kept. A file without a PEM key is a format error;
// one with a key of another kind, a weak one, the other half of the pair, or a secret key that others than
// its owner can read, a usage error.
[[nodiscard]] PublicKey read_public_key(const std::filesystem::path& path);
[[nodiscard]] SecretKey read_secret_key(const std::filesystem::path& path);

}  // namespace common
