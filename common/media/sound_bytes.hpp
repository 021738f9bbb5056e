// The bytes of a sound file. Held in memory, so that the bytes that were hashed are the bytes that are
// decoded; or left in their file, where those of a full video are too many to hold.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/bytes.hpp"
#include "common/file.hpp"

namespace common {

class SoundBytes {
 public:
  explicit SoundBytes(ByteView held) : held_(held), size_(held.size()) {}
  // `file` and `path` outlive this.
  SoundBytes(const File& file, const std::filesystem::path& path)
      : file_(&file), path_(&path), size_(size_of(file, path)) {}
  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Up to `count` bytes at `offset`, less only at the end.
  std::size_t read_at(void* to, std::size_t count, std::uint64_t offset) const;
  // The file that they are all of; null where they are held, or a part.
  [[nodiscard]] const File* whole_file() const { return is_part_ ? nullptr : file_; }
  // The bytes [begin, end), which begin at 0 again.
  [[nodiscard]] SoundBytes part(std::uint64_t begin, std::uint64_t end) const;

 private:
  ByteView held_;
  const File* file_ = nullptr;
  const std::filesystem::path* path_ = nullptr;
  std::uint64_t begin_ = 0;
  std::uint64_t size_ = 0;
  bool is_part_ = false;
};

// Looks at a few bytes here and there without a system call for each.
class SoundScanner {
 public:
  static constexpr std::size_t k_most = 4096;  // bytes at a time
  // `bytes` outlives this.
  explicit SoundScanner(const SoundBytes& bytes) : bytes_(&bytes) {}
  // The bytes at `offset`: `count` of them, or an empty view where the file ends before.
  [[nodiscard]] ByteView at(std::uint64_t offset, std::size_t count);
  [[nodiscard]] bool has_tag(std::uint64_t offset, std::string_view tag) {
    return text_of(at(offset, tag.size())) == tag;
  }

 private:
  const SoundBytes* bytes_;
  std::array<std::uint8_t, 16 * k_most> block_{};
  std::uint64_t begin_ = 0;
  std::size_t held_ = 0;
};

// Big-endian, as RIFX, FLAC and MP3 store them.
[[nodiscard]] inline std::uint64_t load_be(const std::uint8_t* p, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = (value << 8) | p[i];
  return value;
}

// The error of a sound that cannot be had.
[[noreturn]] void refuse_sound(const std::string& name, const std::string& why);
// The same of a file that was cut short: `what` are bytes of samples, frames and the like.
[[noreturn]] void refuse_truncated(const std::string& name, std::uint64_t declared, const std::string& what,
                                   std::uint64_t found);

}  // namespace common
