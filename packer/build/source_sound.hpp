// The source of a clip while the clip is made of it. What may be a clip is held in memory; what is larger is
// a full video and stays in its file: three hours of it cost no more than a block.
#pragma once

#include <filesystem>
#include <string>

#include "common/media/audio.hpp"
#include "packer/build/copy.hpp"

namespace packer {

// Ten seconds of 48 kHz, stereo and 24 bit have 3 MB.
inline constexpr std::uint64_t k_held_sound_bytes = std::uint64_t{16} << 20;

class SourceSound {
 public:
  // `name` is for messages. The bytes outlive this.
  SourceSound(common::ByteView held, std::string name);
  SourceSound(std::filesystem::path path, std::string name);
  SourceSound(const SourceSound&) = delete;
  SourceSound& operator=(const SourceSound&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const common::SoundBytes& bytes() const { return bytes_; }
  [[nodiscard]] common::AudioFacts probe(common::Probe probe) const;
  // All of it in memory, after all.
  [[nodiscard]] common::ByteView hold();
  // Of all its bytes. Asked for last: a file that has changed since it was opened is an io error.
  [[nodiscard]] common::Digest digest() const;

 private:
  void refuse_changed() const;

  std::string name_;
  std::filesystem::path path_;
  common::File file_;
  common::FileStamp stamp_;
  common::SoundBytes bytes_;
  common::ByteView held_;
  common::Bytes own_;
};

}  // namespace packer
