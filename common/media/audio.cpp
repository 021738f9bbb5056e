#include "common/media/audio.hpp"

#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>

#include "common/error.hpp"
#include "common/media/sound_file.hpp"

namespace common {
namespace {

// `first`: the sample that `values` begins with, counted over all channels.
void refuse_unusable(const float* values, std::size_t count, std::uint64_t first, const std::string& name) {
  for (std::size_t i = 0; i < count; ++i)
    if (!(std::abs(values[i]) <= k_sample_limit))
      refuse_sound(name, "its sample " + std::to_string(first + i) + " is " +
                             (std::isnan(values[i])   ? "NaN, not a number"
                              : std::isinf(values[i]) ? "infinite"
                                                      : "so large that mixed channels are infinite"));
}

int bytes_per_sample(SampleFormat format) {
  switch (format) {
    case SampleFormat::pcm_u8:
      return 1;
    case SampleFormat::pcm_24:
      return 3;
    case SampleFormat::pcm_32:
    case SampleFormat::float_32:
      return 4;
    case SampleFormat::float_64:
      return 8;
    case SampleFormat::pcm_16:
    case SampleFormat::compressed:
      break;
  }
  return 2;
}

// The 44-byte header: RIFF, one fmt chunk of 16 bytes, one data chunk.
Bytes wav_with_header(int rate_hz, int channels, int sample_bytes, bool floating, std::uint64_t data_bytes) {
  ENSURE(data_bytes <= UINT32_MAX - 36);
  Bytes wav(44 + data_bytes);
  std::uint8_t* p = wav.data();
  const auto block = static_cast<std::uint64_t>(channels) * static_cast<std::uint64_t>(sample_bytes);
  std::memcpy(p, "RIFF", 4);
  store_le(36 + data_bytes, 4, p + 4);
  std::memcpy(p + 8, "WAVEfmt ", 8);
  store_le(16, 4, p + 16);
  store_le(floating ? 3 : 1, 2, p + 20);
  store_le(static_cast<std::uint64_t>(channels), 2, p + 22);
  store_le(static_cast<std::uint64_t>(rate_hz), 4, p + 24);
  store_le(static_cast<std::uint64_t>(rate_hz) * block, 4, p + 28);
  store_le(block, 2, p + 32);
  store_le(static_cast<std::uint64_t>(sample_bytes) * 8, 2, p + 34);
  std::memcpy(p + 36, "data", 4);
  store_le(data_bytes, 4, p + 40);
  return wav;
}

std::vector<short> to_pcm16(const std::vector<float>& samples) {
  std::vector<short> pcm(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i)
    pcm[i] = static_cast<short>(std::lround(std::clamp(samples[i], -1.0F, 1.0F) * 32767.0F));
  return pcm;
}

}  // namespace

AudioFacts probe_audio(const SoundBytes& file, const std::string& name, OtherForms others) {
  OpenSound sound(file, name, others);
  std::vector<float> block(k_block_frames * sound.channels());
  std::uint64_t frames = 0;
  std::optional<float> first;
  bool is_flat = true;
  while (const std::size_t got = sound.read(block.data(), k_block_frames)) {
    const std::size_t values = got * sound.channels();
    refuse_unusable(block.data(), values, frames * sound.channels(), name);
    if (!first) first = block[0];
    for (std::size_t i = 0; is_flat && i < values; ++i) is_flat = block[i] == *first;
    frames += got;
  }
  AudioFacts facts = sound.facts();
  facts.signal = is_flat ? Signal::silence : Signal::sound;
  return facts;
}

Waveform decode_audio(ByteView file, const std::string& name) {
  const SoundBytes bytes(file);
  OpenSound sound(bytes, name, OtherForms::refuse);
  Waveform wave{sound.rate_hz(), static_cast<int>(sound.channels()), {}};
  // Of what a header states no more than a minute is believed in advance.
  const auto believed =
      static_cast<std::size_t>(std::min<std::uint64_t>(sound.declared_frames(), std::uint64_t{60} * 48000));
  wave.samples.resize(believed * sound.channels());
  wave.samples.resize(sound.read(wave.samples.data(), believed) * sound.channels());
  std::vector<float> block(4096 * sound.channels());
  while (const std::size_t got = sound.read(block.data(), 4096))
    wave.samples.insert(wave.samples.end(), block.begin(),
                        block.begin() + static_cast<std::ptrdiff_t>(got * sound.channels()));
  refuse_unusable(wave.samples.data(), wave.samples.size(), 0, name);
  return wave;
}

Bytes cut_to_wav(const SoundBytes& file, std::uint64_t first, std::uint64_t count, const std::string& name,
                 OtherForms others) {
  OpenSound sound(file, name, others);
  const SampleFormat format = sound.sample_format();
  ENSURE(count > 0);
  sound.skip_to(first);
  const std::size_t values = static_cast<std::size_t>(count) * sound.channels();
  const int width = bytes_per_sample(format);
  const bool floating = format == SampleFormat::float_32 || format == SampleFormat::float_64;
  if (values * static_cast<std::size_t>(width) > UINT32_MAX - 36)
    refuse_sound(name, "the clip does not fit in a WAV");
  Bytes wav = wav_with_header(sound.rate_hz(), static_cast<int>(sound.channels()), width, floating,
                              values * static_cast<std::size_t>(width));
  std::uint8_t* out = wav.data() + 44;
  if (format == SampleFormat::float_64) {
    std::vector<double> block(values);
    sound.read_exactly(block.data(), count, ::sf_readf_double);
    std::memcpy(out, block.data(), values * sizeof(double));
  } else if (floating) {
    std::vector<float> block(values);
    sound.read_exactly(block.data(), count);
    refuse_unusable(block.data(), values, first * sound.channels(), name);
    std::memcpy(out, block.data(), values * sizeof(float));
  } else if (format == SampleFormat::compressed) {
    std::vector<float> block(values);
    sound.read_exactly(block.data(), count);
    refuse_unusable(block.data(), values, first * sound.channels(), name);
    const std::vector<short> pcm = to_pcm16(block);
    for (std::size_t i = 0; i < values; ++i) store_le(static_cast<std::uint16_t>(pcm[i]), 2, out + 2 * i);
  } else {
    // libsndfile gives every integer format left-justified in 32 bits: the top `width` bytes are the sample.
    std::vector<int> block(values);
    sound.read_exactly(block.data(), count, ::sf_readf_int);
    for (std::size_t i = 0; i < values; ++i) {
      const auto value = static_cast<std::uint32_t>(block[i]) ^ (width == 1 ? 0x80000000U : 0U);
      store_le(value >> (32 - 8 * width), width, out + static_cast<std::size_t>(width) * i);
    }
  }
  return wav;
}

Bytes encode_wav16(const Waveform& sound) {
  const std::vector<short> pcm = to_pcm16(sound.samples);
  Bytes wav = wav_with_header(sound.rate_hz, sound.channels, 2, false, pcm.size() * 2);
  for (std::size_t i = 0; i < pcm.size(); ++i)
    store_le(static_cast<std::uint16_t>(pcm[i]), 2, wav.data() + 44 + 2 * i);
  return wav;
}

Bytes encode_flac16(const Waveform& sound) {
  VirtualFile memory;
  SF_INFO info{};
  info.samplerate = sound.rate_hz;
  info.channels = sound.channels;
  info.format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
  SF_VIRTUAL_IO io = virtual_io();
  SoundHandle handle(::sf_open_virtual(&io, SFM_WRITE, &info, &memory));
  if (!handle)
    throw Error(ErrorKind::io, std::string("libsndfile cannot write FLAC: ") + ::sf_strerror(nullptr));
  const std::vector<short> pcm = to_pcm16(sound.samples);
  const auto frames = static_cast<sf_count_t>(sound.frames());
  if (::sf_writef_short(handle.get(), pcm.data(), frames) != frames)
    throw Error(ErrorKind::io, std::string("libsndfile cannot write FLAC: ") + ::sf_strerror(handle.get()));
  handle.reset();
  return std::move(memory.written);
}

namespace {

std::vector<float> average_channels(const Waveform& sound) {
  const std::size_t frames = sound.frames();
  const auto channels = static_cast<std::size_t>(sound.channels);
  std::vector<float> mono(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    float sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += sound.samples[i * channels + c];
    mono[i] = sum / static_cast<float>(channels);
  }
  return mono;
}

struct DeleteResampler {
  void operator()(soxr_t soxr) const { ::soxr_delete(soxr); }
};

void expect_resampled(soxr_error_t error) {
  if (error != nullptr) throw Error(ErrorKind::io, std::string("libsoxr cannot resample: ") + error);
}

}  // namespace

std::vector<float> to_mono(const Waveform& sound, int rate_hz) {
  std::vector<float> mono = average_channels(sound);
  if (rate_hz == sound.rate_hz) return mono;
  const soxr_io_spec_t io = ::soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = ::soxr_quality_spec(SOXR_VHQ, 0);
  const soxr_runtime_spec_t runtime = ::soxr_runtime_spec(1);
  soxr_error_t error = nullptr;
  const std::unique_ptr<soxr, DeleteResampler> resampler(
      ::soxr_create(sound.rate_hz, rate_hz, 1, &error, &io, &quality, &runtime));
  expect_resampled(error);
  const double ratio = static_cast<double>(rate_hz) / sound.rate_hz;
  std::vector<float> resampled(static_cast<std::size_t>(std::ceil(static_cast<double>(mono.size()) * ratio)) +
                               1);
  std::size_t made = 0;
  // In pieces: given all at once, libsoxr holds a copy of all, and takes half as long again.
  for (std::size_t at = 0, piece = 1, got = 1; piece > 0 || got > 0;) {
    piece = std::min<std::size_t>(mono.size() - at, 8192);
    std::size_t used = 0;
    // Null says that this was the end.
    const float* from = piece > 0 ? mono.data() + at : nullptr;
    expect_resampled(::soxr_process(resampler.get(), from, piece, &used, resampled.data() + made,
                                    resampled.size() - made, &got));
    ENSURE(used > 0 || got > 0 || piece == 0);
    at += used;
    made += got;
  }
  resampled.resize(made);
  return resampled;
}

}  // namespace common
