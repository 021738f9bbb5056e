// The secret with which one user's feature caches are sealed: 32 random bytes in a file that nobody else may
// read. Whoever can write into a cache, but not read the key, cannot make an entry that is taken.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <initializer_list>

#include "common/bytes.hpp"
#include "common/digest.hpp"

namespace trainer {

class CacheKey {
 public:
  static constexpr std::size_t k_size = 32;
  explicit CacheKey(const std::array<std::uint8_t, k_size>& bytes) : bytes_(bytes) {}

  // safe-packs/cache.key in $XDG_CONFIG_HOME, or in ~/.config where that is not set. Throws io where there is
  // neither.
  [[nodiscard]] static std::filesystem::path path_of_user();
  // Makes the file, mode 0600, where there is none yet; of several that do so at once all get the same key.
  // Throws io where it cannot be made or read, or others may read or write it.
  [[nodiscard]] static CacheKey open(const std::filesystem::path& file);

  // HMAC-SHA256 of the parts one after another (RFC 2104).
  [[nodiscard]] common::Digest seal(std::initializer_list<common::ByteView> parts) const;

 private:
  std::array<std::uint8_t, k_size> bytes_;
};

}  // namespace trainer
