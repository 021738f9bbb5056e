// SHA-256 as a value. Comparing digests compares content; a Digest is never a string.
#pragma once

#include <array>
#include <compare>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/bytes.hpp"
#include "common/digest_lanes.hpp"

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

struct HashPiece;

// SHA-256 over everything given to update. OpenSSL's, which uses the processor's SHA instructions.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  void update(ByteView bytes);
  // Returns the digest and starts over.
  [[nodiscard]] Digest finish();

  // Takes from all views until one of them is empty, as if by update. None may be empty before. Several
  // messages at once take little longer than one: SHA instructions wait for their own results, and vectors
  // have room for many.
  friend void update_together(std::span<const HashPiece> pieces, const LaneChoice& choice);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct HashPiece {
  Hasher* hasher;
  ByteView* bytes;
};
void update_together(std::span<const HashPiece> pieces, const LaneChoice& choice = lane_choice());

[[nodiscard]] Digest digest_of(ByteView bytes);
[[nodiscard]] inline Digest digest_of(std::string_view text) { return digest_of(view_of(text)); }

}  // namespace common
