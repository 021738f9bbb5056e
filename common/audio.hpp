// Sound files through libsndfile: WAV, FLAC, MP3. Times are in frames of the file's own rate; samples are
// float in
// [-1, 1], interleaved by channel.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/bytes.hpp"

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

// Each reads a file's bytes held in memory, so that the bytes that were hashed are the bytes that are
// decoded. A file that does not decode, has no frame, lies about its length or holds NaN is a mismatch error
// that names `name`.
[[nodiscard]] AudioFacts probe_audio(ByteView file, const std::string& name);
[[nodiscard]] Waveform decode_audio(ByteView file, const std::string& name);

// The clip [first, first + count) as a canonical 44-byte-header WAV. Keeps the sample format of a PCM or
// float source; anything else becomes 16-bit PCM. Contains nothing but the samples: no clock, no software
// name.
[[nodiscard]] Bytes cut_to_wav(ByteView file, std::uint64_t first, std::uint64_t count,
                               const std::string& name);

// 16-bit PCM, canonical 44-byte header; samples are clamped to [-1, 1].
[[nodiscard]] Bytes encode_wav16(const Waveform& sound);
// FLAC (16 bit), for synthesised sources; carries libFLAC's vendor string, as every FLAC does.
[[nodiscard]] Bytes encode_flac16(const Waveform& sound);

// Channels averaged; resampled to `rate_hz` by libsoxr (its very-high quality recipe).
[[nodiscard]] std::vector<float> to_mono(const Waveform& sound, int rate_hz);

}  // namespace common
