#include "common/media/sound_bytes.hpp"

#include <algorithm>
#include <cstring>

#include "common/error.hpp"

namespace common {

std::size_t SoundBytes::read_at(void* to, std::size_t count, std::uint64_t offset) const {
  if (offset >= size_) return 0;
  const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - offset));
  if (file_ != nullptr) return file_->read_at(to, take, begin_ + offset, *path_);
  std::memcpy(to, held_.data() + begin_ + offset, take);
  return take;
}

SoundBytes SoundBytes::part(std::uint64_t begin, std::uint64_t end) const {
  ENSURE(begin <= end && end <= size_);
  SoundBytes part = *this;
  part.begin_ += begin;
  part.size_ = end - begin;
  part.is_part_ = is_part_ || end - begin != size_;
  return part;
}

ByteView SoundScanner::at(std::uint64_t offset, std::size_t count) {
  ENSURE(count <= k_most);
  if (offset < begin_ || offset + count > begin_ + held_) {
    held_ = bytes_->read_at(block_.data(), block_.size(), offset);
    begin_ = offset;
  }
  if (offset + count > begin_ + held_) return {};
  return ByteView(block_).subspan(static_cast<std::size_t>(offset - begin_), count);
}

void refuse_sound(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::mismatch, name + " does not decode as sound: " + why +
                                       "; replace the file or leave it out of the manifest");
}

void refuse_truncated(const std::string& name, std::uint64_t declared, const std::string& what,
                      std::uint64_t found) {
  refuse_sound(name, "truncated: its header declares " + std::to_string(declared) + " " + what +
                         ", the file has " + std::to_string(found));
}

}  // namespace common
