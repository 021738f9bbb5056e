// A sound file while it is decoded, from its first frame to its last. Only common/audio uses this: callers
// see facts and samples.
#pragma once

#include <sndfile.h>

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "common/media/audio.hpp"
#include "common/media/ffmpeg_decoder.hpp"
#include "common/media/mp3_decoder.hpp"
#include "common/media/sound_form.hpp"
#include "common/media/wav_data.hpp"

namespace common {

// libsndfile's file: a sound that is read, or memory that is written. No exception may pass through
// libsndfile's C frames: one of a disk that fails waits in `failure`.
struct VirtualFile {
  const SoundBytes* read = nullptr;
  std::vector<BytePatch> patches;  // of what is read
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
  // `file` outlives this. Refuses every form but those of audio.hpp, what has no sample, a header that cannot
  // be true, and a file whose own lengths say that it was cut short.
  OpenSound(const SoundBytes& file, const std::string& name, OtherForms others);
  OpenSound(const OpenSound&) = delete;
  OpenSound& operator=(const OpenSound&) = delete;

  [[nodiscard]] int rate_hz() const { return info_.samplerate; }
  [[nodiscard]] std::size_t channels() const { return static_cast<std::size_t>(info_.channels); }
  [[nodiscard]] SampleFormat sample_format() const;
  // What the header states; 0 where it does not say.
  [[nodiscard]] std::uint64_t declared_frames() const { return declared_; }
  // Up to `frames`, 0 only at the end, where fewer than the header declares are refused.
  std::size_t read(float* to, std::size_t frames);
  void read_exactly(float* to, std::size_t frames);
  // The same for what libsndfile decodes. Reader: sf_readf_double or sf_readf_int, with Value.
  template <typename Value, typename Reader>
  void read_exactly(Value* to, std::size_t frames, Reader reader) {
    const auto got = reader(handle_.get(), to, static_cast<sf_count_t>(frames));
    position_ += got > 0 ? static_cast<std::uint64_t>(got) : 0;
    note_damage();
    if (got != static_cast<sf_count_t>(frames)) refuse_short();
    refuse_damaged();
  }
  // Compressed streams are decoded up to `frame`, because their seek tables may be wrong.
  void skip_to(std::uint64_t frame);
  // When all has been read.
  [[nodiscard]] AudioFacts facts() const;

 private:
  void open_mp3(std::uint64_t begin);
  void ask_ffmpeg(std::uint64_t begin);
  void open_other(const FoundForm& found);
  void limit_frames(std::uint64_t frames) const;
  [[nodiscard]] std::size_t read_on(float* to, std::size_t frames);
  void end_at();
  void note_damage();
  void refuse_damaged() const;
  [[noreturn]] void refuse_short() const;
  void rethrow() const;

  std::string name_;
  SoundForm form_ = SoundForm::unknown;
  SoundBytes bytes_;  // of the form
  VirtualFile virtual_;
  SF_INFO info_{};
  SoundHandle handle_;                     // of every form but MP3
  std::unique_ptr<Mp3Decoder> mp3_;        // of that
  std::unique_ptr<FfmpegDecoder> ffmpeg_;  // of forms that are none of ours
  std::uint64_t declared_ = 0;
  std::uint64_t position_ = 0;
  int damage_ = SF_ERR_NO_ERROR;  // that libsndfile passed over
};

// Frames that are decoded at a time where not all of a sound is wanted in memory.
inline constexpr std::size_t k_block_frames = 1 << 16;

}  // namespace common
