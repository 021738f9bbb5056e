// SHA-256 as a value. Comparing digests compares content; a Digest is never a string.
#pragma once

#include <array>
#include <compare>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/bytes.hpp"

namespace common {

class Digest {
 public:
  static constexpr std::size_t k_size = 32;
  Digest() = default;
  explicit Digest(const std::array<std::uint8_t, k_size>& bytes) : bytes_(bytes) {}
  [[nodiscard]] const std::array<std::uint8_t, k_size>& bytes() const { return bytes_; }
  // 64 lower-case hexadecimal digits.
  [[nodiscard]] std::string hex() const { return to_hex(bytes_); }
  auto operator<=>(const Digest&) const = default;

 private:
  std::array<std::uint8_t, k_size> bytes_{};
};

// Exactly 64 lower-case hexadecimal digits, or nothing.
[[nodiscard]] std::optional<Digest> parse_digest(std::string_view hex);

// SHA-256 over everything given to update. Uses the CPU's SHA instructions through OpenSSL's EVP.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  void update(ByteView bytes);
  // Returns the digest and starts over.
  [[nodiscard]] Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

[[nodiscard]] Digest digest_of(ByteView bytes);
[[nodiscard]] inline Digest digest_of(std::string_view text) { return digest_of(view_of(text)); }

}  // namespace common
