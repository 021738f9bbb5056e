// An MP3 decoded from its first frame to its end by libmpg123, which says nothing on stderr. Its length is
// what decoding gives: nothing that a header states of it is believed, and nothing is sought.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#include "common/media/mp3_frames.hpp"
#include "common/media/sound_bytes.hpp"

struct mpg123_handle_struct;

namespace common {

class Mp3Decoder {
 public:
  // `begin` is the first frame's. Refuses what walk_mp3 refuses.
  Mp3Decoder(const SoundBytes& bytes, std::uint64_t begin, const std::string& name);
  ~Mp3Decoder();
  Mp3Decoder(const Mp3Decoder&) = delete;
  Mp3Decoder& operator=(const Mp3Decoder&) = delete;

  [[nodiscard]] int rate_hz() const { return rate_hz_; }
  [[nodiscard]] int channels() const { return channels_; }
  // Up to `frames` of them, less only at the end, where frames that do not decode are refused.
  std::size_t read(float* to, std::size_t frames);

 private:
  struct Close {
    void operator()(mpg123_handle_struct* handle) const;
  };
  struct Input;  // what libmpg123 reads from
  void refuse(const std::string& why) const;

  std::string name_;
  Mp3Frames frames_;
  std::unique_ptr<Input> input_;
  std::unique_ptr<mpg123_handle_struct, Close> handle_;
  int rate_hz_ = 0;
  int channels_ = 0;
  std::uint64_t read_ = 0;  // frames
};

}  // namespace common
