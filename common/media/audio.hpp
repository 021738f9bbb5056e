// Sound files through libsndfile: WAV, FLAC, MP3. Times are in frames of the file's own rate; samples are
// float in [-1, 1], interleaved by channel.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/bytes.hpp"
#include "common/file.hpp"

namespace common {

enum class AudioContainer { wav, flac, mp3, other };
enum class SampleFormat { pcm_u8, pcm_16, pcm_24, pcm_32, float_32, float_64, compressed };

struct AudioFacts {
  AudioContainer container = AudioContainer::other;
  SampleFormat sample_format = SampleFormat::compressed;
  int rate_hz = 0;
  int channels = 0;
  std::uint64_t frames = 0;
  [[nodiscard]] double duration_s() const { return static_cast<double>(frames) / rate_hz; }
};

struct Waveform {
  int rate_hz = 0;
  int channels = 0;
  std::vector<float> samples;  // [frames * channels]
  [[nodiscard]] std::uint64_t frames() const { return samples.size() / static_cast<std::size_t>(channels); }
};

// The bytes of a sound file. Held in memory, so that the bytes that were hashed are the bytes that are
// decoded; or left in their file, where those of a full video are too many to hold.
class SoundBytes {
 public:
  explicit SoundBytes(ByteView held) : held_(held), size_(held.size()) {}
  // `file` and `path` outlive this.
  SoundBytes(const File& file, const std::filesystem::path& path)
      : file_(&file), path_(&path), size_(size_of(file, path)) {}
  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Up to `count` bytes at `offset`, less only at the end.
  std::size_t read_at(void* to, std::size_t count, std::uint64_t offset) const;

 private:
  ByteView held_;
  const File* file_ = nullptr;
  const std::filesystem::path* path_ = nullptr;
  std::uint64_t size_ = 0;
};

// The most that a header may promise: three hours of 48 kHz stereo, the longest of full videos.
inline constexpr std::uint64_t k_sound_limit_samples = std::uint64_t{3} * 3600 * 48000 * 2;

// A file that does not decode, has no frame, lies about its length or holds NaN is a mismatch error that
// names `name`. Neither the probe nor a cut holds more of the file than a block and the clip.
[[nodiscard]] AudioFacts probe_audio(const SoundBytes& file, const std::string& name);
[[nodiscard]] inline AudioFacts probe_audio(ByteView file, const std::string& name) {
  return probe_audio(SoundBytes(file), name);
}
[[nodiscard]] Waveform decode_audio(ByteView file, const std::string& name);

// The clip [first, first + count) as a canonical 44-byte-header WAV. Keeps the sample format of a PCM or
// float source; anything else becomes 16-bit PCM. Contains nothing but the samples: no clock, no software
// name.
[[nodiscard]] Bytes cut_to_wav(const SoundBytes& file, std::uint64_t first, std::uint64_t count,
                               const std::string& name);
[[nodiscard]] inline Bytes cut_to_wav(ByteView file, std::uint64_t first, std::uint64_t count,
                                      const std::string& name) {
  return cut_to_wav(SoundBytes(file), first, count, name);
}

// 16-bit PCM, canonical 44-byte header; samples are clamped to [-1, 1].
[[nodiscard]] Bytes encode_wav16(const Waveform& sound);
// FLAC (16 bit), for synthesised sources; carries libFLAC's vendor string, as every FLAC does.
[[nodiscard]] Bytes encode_flac16(const Waveform& sound);

// Channels averaged; resampled to `rate_hz` by libsoxr (its very-high quality recipe).
[[nodiscard]] std::vector<float> to_mono(const Waveform& sound, int rate_hz);

}  // namespace common
