#include "common/audio.hpp"

#include <sndfile.h>
#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "common/error.hpp"

namespace common {
namespace {

// Three hours of 48 kHz stereo; a header that promises more is refused before anything is allocated.
constexpr std::uint64_t k_limit_values = std::uint64_t{3} * 3600 * 48000 * 2;
constexpr std::size_t k_block_frames = 1 << 16;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::mismatch, name + " does not decode as sound: " + why +
                                       "; replace the file or leave it out of the manifest");
}

// libsndfile's file, living in memory.
struct MemoryFile {
  const std::uint8_t* read = nullptr;
  Bytes written;
  bool writing = false;
  std::uint64_t size = 0;
  std::uint64_t position = 0;
};

MemoryFile& self(void* user) { return *static_cast<MemoryFile*>(user); }

sf_count_t memory_length(void* user) { return static_cast<sf_count_t>(self(user).size); }
sf_count_t memory_tell(void* user) { return static_cast<sf_count_t>(self(user).position); }
sf_count_t memory_seek(sf_count_t offset, int whence, void* user) {
  MemoryFile& file = self(user);
  sf_count_t base = 0;
  if (whence == SEEK_CUR) base = static_cast<sf_count_t>(file.position);
  if (whence == SEEK_END) base = static_cast<sf_count_t>(file.size);
  if (offset < -base || (!file.writing && base + offset > static_cast<sf_count_t>(file.size))) return -1;
  file.position = static_cast<std::uint64_t>(base + offset);
  return base + offset;
}
sf_count_t memory_read(void* to, sf_count_t count, void* user) {
  MemoryFile& file = self(user);
  if (file.position >= file.size || count <= 0) return 0;
  const std::uint64_t left = file.size - file.position;
  const std::uint64_t take = std::min(left, static_cast<std::uint64_t>(count));
  std::memcpy(to, file.writing ? file.written.data() + file.position : file.read + file.position, take);
  file.position += take;
  return static_cast<sf_count_t>(take);
}
sf_count_t memory_write(const void* from, sf_count_t count, void* user) {
  MemoryFile& file = self(user);
  if (count <= 0) return 0;
  const std::uint64_t end = file.position + static_cast<std::uint64_t>(count);
  if (end > file.written.size()) file.written.resize(end);
  std::memcpy(file.written.data() + file.position, from, static_cast<std::size_t>(count));
  file.position = end;
  file.size = file.written.size();
  return count;
}

SF_VIRTUAL_IO memory_io() { return {memory_length, memory_seek, memory_read, memory_write, memory_tell}; }

struct CloseSound {
  void operator()(SNDFILE* file) const { ::sf_close(file); }
};
using SoundHandle = std::unique_ptr<SNDFILE, CloseSound>;

SampleFormat sample_format_of(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_PCM_S8:
      return SampleFormat::pcm_u8;
    case SF_FORMAT_PCM_16:
      return SampleFormat::pcm_16;
    case SF_FORMAT_PCM_24:
      return SampleFormat::pcm_24;
    case SF_FORMAT_PCM_32:
      return SampleFormat::pcm_32;
    case SF_FORMAT_FLOAT:
      return SampleFormat::float_32;
    case SF_FORMAT_DOUBLE:
      return SampleFormat::float_64;
    default:
      return SampleFormat::compressed;
  }
}

AudioContainer container_of(int format) {
  switch (format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WAV:
    case SF_FORMAT_WAVEX:
      return AudioContainer::wav;
    case SF_FORMAT_FLAC:
      return AudioContainer::flac;
    case SF_FORMAT_MPEG:
      return AudioContainer::mp3;
    default:
      return AudioContainer::other;
  }
}

// libsndfile shortens a data chunk that promises more than the file holds, without a word: a file cut short
// would pass as a shorter clip.
void check_wav_chunks(ByteView file, const std::string& name) {
  if (file.size() < 12 || std::memcmp(file.data(), "RIFF", 4) != 0) return;
  std::size_t at = 12;
  while (at + 8 <= file.size()) {
    const std::uint64_t size = load_le32(file.data() + at + 4);
    if (std::memcmp(file.data() + at, "data", 4) == 0) {
      if (at + 8 + size > file.size())
        refuse(name, "its header promises " + std::to_string(size) + " bytes of samples and " +
                         std::to_string(file.size() - at - 8) + " are there");
      return;
    }
    at += 8 + static_cast<std::size_t>(size + (size & 1));
  }
  refuse(name, "it has no data chunk");
}

class OpenSound {
 public:
  OpenSound(ByteView file, const std::string& name) : name_(name) {
    check_wav_chunks(file, name);
    memory_.read = file.data();
    memory_.size = file.size();
    SF_VIRTUAL_IO io = memory_io();
    handle_.reset(::sf_open_virtual(&io, SFM_READ, &info_, &memory_));
    if (!handle_) refuse(name, ::sf_strerror(nullptr));
    if (info_.frames <= 0) refuse(name, "it holds no sample");
    if (info_.samplerate <= 0 || info_.channels <= 0 || info_.channels > 64)
      refuse(name, "its header gives " + std::to_string(info_.samplerate) + " Hz and " +
                       std::to_string(info_.channels) + " channels");
    if (static_cast<std::uint64_t>(info_.frames) >
        k_limit_values / static_cast<std::uint64_t>(info_.channels))
      refuse(name, "its header promises more than three hours");
  }

  [[nodiscard]] AudioFacts facts() const {
    return {container_of(info_.format), sample_format_of(info_.format), info_.samplerate, info_.channels,
            static_cast<std::uint64_t>(info_.frames)};
  }
  [[nodiscard]] std::size_t channels() const { return static_cast<std::size_t>(info_.channels); }

  // Skips to `frame`. Compressed streams are decoded up to it, because their seek tables may be wrong.
  void skip_to(std::uint64_t frame) {
    if (sample_format_of(info_.format) != SampleFormat::compressed) {
      if (::sf_seek(handle_.get(), static_cast<sf_count_t>(frame), SEEK_SET) < 0)
        refuse(name_, "it cannot be sought");
      return;
    }
    std::vector<float> block(k_block_frames * channels());
    while (frame > 0) {
      const std::uint64_t take = std::min<std::uint64_t>(frame, k_block_frames);
      read_exactly(block.data(), take, ::sf_readf_float);
      frame -= take;
    }
  }

  template <typename Value, typename Reader>
  void read_exactly(Value* to, std::uint64_t frames, Reader reader) {
    if (reader(handle_.get(), to, static_cast<sf_count_t>(frames)) != static_cast<sf_count_t>(frames))
      refuse(name_, "it ends before its header says");
  }

 private:
  std::string name_;
  MemoryFile memory_;
  SF_INFO info_{};
  SoundHandle handle_;
};

void refuse_non_finite(const float* values, std::size_t count, const std::string& name) {
  for (std::size_t i = 0; i < count; ++i)
    if (!std::isfinite(values[i])) refuse(name, "it holds a sample that is no number");
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

AudioFacts probe_audio(ByteView file, const std::string& name) {
  OpenSound sound(file, name);
  std::vector<float> block(k_block_frames * sound.channels());
  std::uint64_t left = sound.facts().frames;
  while (left > 0) {
    const std::uint64_t take = std::min<std::uint64_t>(left, k_block_frames);
    sound.read_exactly(block.data(), take, ::sf_readf_float);
    refuse_non_finite(block.data(), take * sound.channels(), name);
    left -= take;
  }
  return sound.facts();
}

Waveform decode_audio(ByteView file, const std::string& name) {
  OpenSound sound(file, name);
  const AudioFacts facts = sound.facts();
  Waveform wave{facts.rate_hz, facts.channels, std::vector<float>(facts.frames * sound.channels())};
  sound.read_exactly(wave.samples.data(), facts.frames, ::sf_readf_float);
  refuse_non_finite(wave.samples.data(), wave.samples.size(), name);
  return wave;
}

Bytes cut_to_wav(ByteView file, std::uint64_t first, std::uint64_t count, const std::string& name) {
  OpenSound sound(file, name);
  const AudioFacts facts = sound.facts();
  ENSURE(first + count <= facts.frames && count > 0);
  sound.skip_to(first);
  const std::size_t values = static_cast<std::size_t>(count) * sound.channels();
  const int width = bytes_per_sample(facts.sample_format);
  const bool floating =
      facts.sample_format == SampleFormat::float_32 || facts.sample_format == SampleFormat::float_64;
  if (values * static_cast<std::size_t>(width) > UINT32_MAX - 36)
    refuse(name, "the clip does not fit in a WAV");
  Bytes wav = wav_with_header(facts.rate_hz, facts.channels, width, floating,
                              values * static_cast<std::size_t>(width));
  std::uint8_t* out = wav.data() + 44;
  if (facts.sample_format == SampleFormat::float_64) {
    std::vector<double> block(values);
    sound.read_exactly(block.data(), count, ::sf_readf_double);
    std::memcpy(out, block.data(), values * sizeof(double));
  } else if (floating) {
    std::vector<float> block(values);
    sound.read_exactly(block.data(), count, ::sf_readf_float);
    refuse_non_finite(block.data(), values, name);
    std::memcpy(out, block.data(), values * sizeof(float));
  } else if (facts.sample_format == SampleFormat::compressed) {
    std::vector<float> block(values);
    sound.read_exactly(block.data(), count, ::sf_readf_float);
    refuse_non_finite(block.data(), values, name);
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
  MemoryFile memory;
  memory.writing = true;
  SF_INFO info{};
  info.samplerate = sound.rate_hz;
  info.channels = sound.channels;
  info.format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
  SF_VIRTUAL_IO io = memory_io();
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

std::vector<float> to_mono(const Waveform& sound, int rate_hz) {
  const std::size_t frames = sound.frames();
  const auto channels = static_cast<std::size_t>(sound.channels);
  std::vector<float> mono(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    float sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += sound.samples[i * channels + c];
    mono[i] = sum / static_cast<float>(channels);
  }
  if (rate_hz == sound.rate_hz) return mono;
  const double ratio = static_cast<double>(rate_hz) / sound.rate_hz;
  std::vector<float> resampled(static_cast<std::size_t>(std::ceil(static_cast<double>(frames) * ratio)) + 1);
  const soxr_io_spec_t io = ::soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = ::soxr_quality_spec(SOXR_VHQ, 0);
  const soxr_runtime_spec_t runtime = ::soxr_runtime_spec(1);
  std::size_t used = 0;
  std::size_t made = 0;
  const soxr_error_t error =
      ::soxr_oneshot(sound.rate_hz, rate_hz, 1, mono.data(), frames, &used, resampled.data(),
                     resampled.size(), &made, &io, &quality, &runtime);
  if (error != nullptr) throw Error(ErrorKind::io, std::string("libsoxr cannot resample: ") + error);
  resampled.resize(made);
  return resampled;
}

}  // namespace common
