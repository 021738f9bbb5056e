// A sound file open in libsndfile. Only common/audio uses this: callers see facts and samples.
#pragma once

#include <sndfile.h>

#include <exception>
#include <memory>
#include <string>

#include "common/media/audio.hpp"

namespace common {

// The error of a sound that cannot be had.
[[noreturn]] void refuse_sound(const std::string& name, const std::string& why);

// libsndfile's file: a sound that is read, or memory that is written. No exception may pass through
// libsndfile's C frames: one of a disk that fails waits in `failure`.
struct VirtualFile {
  const SoundBytes* read = nullptr;
  Bytes written;
  std::uint64_t size = 0;
  std::uint64_t position = 0;
  std::exception_ptr failure;
};
[[nodiscard]] SF_VIRTUAL_IO virtual_io();

struct CloseSound {
  void operator()(SNDFILE* file) const { ::sf_close(file); }
};
using SoundHandle = std::unique_ptr<SNDFILE, CloseSound>;

class OpenSound {
 public:
  // `file` outlives this. Refuses what has no sample, a header that cannot be true, and a WAV whose samples
  // are not all there.
  OpenSound(const SoundBytes& file, const std::string& name);
  OpenSound(const OpenSound&) = delete;
  OpenSound& operator=(const OpenSound&) = delete;

  [[nodiscard]] AudioFacts facts() const;
  [[nodiscard]] std::size_t channels() const { return static_cast<std::size_t>(info_.channels); }
  // Compressed streams are decoded up to `frame`, because their seek tables may be wrong.
  void skip_to(std::uint64_t frame);
  // Reader: one of sf_readf_float, sf_readf_double, sf_readf_int, with Value.
  template <typename Value, typename Reader>
  void read_exactly(Value* to, std::uint64_t frames, Reader reader) {
    expect_frames(frames, reader(handle_.get(), to, static_cast<sf_count_t>(frames)));
  }

 private:
  void expect_frames(std::uint64_t wanted, sf_count_t got) const;
  void rethrow() const;

  std::string name_;
  VirtualFile virtual_;
  SF_INFO info_{};
  SoundHandle handle_;
};

// Frames that are decoded at a time where not all of a sound is wanted in memory.
inline constexpr std::size_t k_block_frames = 1 << 16;

}  // namespace common
