// Sound files: WAV (RIFF, RIFX, RF64, W64), FLAC, MP3, Ogg Vorbis and Ogg Opus, and no others. Their lengths
// are counted by decoding to the end; a header that states more than there is means a file that was cut
// short. Times are in frames of the file's own rate; samples are float in [-1, 1], interleaved by channel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/bytes.hpp"
#include "common/media/sound_bytes.hpp"

namespace common {

enum class AudioContainer { wav, flac, mp3, other };  // wav: RIFF
enum class SampleFormat { pcm_u8, pcm_16, pcm_24, pcm_32, float_32, float_64, compressed };

// Whether the header states the length that decoding gives.
enum class StatedLength { right, unknown_or_wrong };

// What becomes of forms that only ffmpeg decodes: MP4, WebM and AAC. The samples that it gives may differ
// from version to version, and it runs on bytes of strangers: who wants it says so.
enum class OtherForms { refuse, ask_ffmpeg };
enum class Decoder { own, ffmpeg };

// silence: all samples are equal. unknown where none was looked at.
enum class Signal { unknown, sound, silence };

struct AudioFacts {
  AudioContainer container = AudioContainer::other;
  SampleFormat sample_format = SampleFormat::compressed;
  int rate_hz = 0;
  int channels = 0;
  std::uint64_t frames = 0;
  StatedLength stated_length = StatedLength::right;
  Signal signal = Signal::unknown;
  Decoder decoder = Decoder::own;
  [[nodiscard]] double duration_s() const { return static_cast<double>(frames) / rate_hz; }
};

struct Waveform {
  int rate_hz = 0;
  int channels = 0;
  std::vector<float> samples;  // [frames * channels]
  [[nodiscard]] std::uint64_t frames() const { return samples.size() / static_cast<std::size_t>(channels); }
};

// The most that is decoded: three hours of 48 kHz stereo, the longest of full videos.
inline constexpr std::uint64_t k_sound_limit_samples = std::uint64_t{3} * 3600 * 48000 * 2;

// No sample may be larger: channels would not add up to a number, nor a resampler overshoot by one.
inline constexpr float k_sample_limit = 1e36F;

// A file that does not decode, has no frame, states more frames than it has, or holds a sample that is no
// number or beyond the limit is a mismatch error that names `name`. Neither the probe nor a cut holds more of
// the file than a block and the clip.
[[nodiscard]] AudioFacts probe_audio(const SoundBytes& file, const std::string& name,
                                     OtherForms others = OtherForms::refuse);
[[nodiscard]] inline AudioFacts probe_audio(ByteView file, const std::string& name,
                                            OtherForms others = OtherForms::refuse) {
  return probe_audio(SoundBytes(file), name, others);
}
[[nodiscard]] Waveform decode_audio(ByteView file, const std::string& name);

// The clip [first, first + count) as a canonical 44-byte-header WAV. Keeps the sample format of a PCM or
// float source; anything else becomes 16-bit PCM. Contains nothing but the samples: no clock, no software
// name.
[[nodiscard]] Bytes cut_to_wav(const SoundBytes& file, std::uint64_t first, std::uint64_t count,
                               const std::string& name, OtherForms others = OtherForms::refuse);
[[nodiscard]] inline Bytes cut_to_wav(ByteView file, std::uint64_t first, std::uint64_t count,
                                      const std::string& name, OtherForms others = OtherForms::refuse) {
  return cut_to_wav(SoundBytes(file), first, count, name, others);
}

// 16-bit PCM, canonical 44-byte header; samples are clamped to [-1, 1].
[[nodiscard]] Bytes encode_wav16(const Waveform& sound);
// FLAC (16 bit), for synthesised sources; carries libFLAC's vendor string, as every FLAC does.
[[nodiscard]] Bytes encode_flac16(const Waveform& sound);

// Channels averaged; resampled to `rate_hz` by libsoxr (its very-high quality recipe).
[[nodiscard]] std::vector<float> to_mono(const Waveform& sound, int rate_hz);

}  // namespace common
