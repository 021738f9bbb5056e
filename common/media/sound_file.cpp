#include "common/media/sound_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/error.hpp"

namespace common {
namespace {

constexpr int k_chunk_limit = 10'000;  // of a WAV, before its samples; real ones have a handful

VirtualFile& self(void* user) { return *static_cast<VirtualFile*>(user); }

sf_count_t virtual_length(void* user) { return static_cast<sf_count_t>(self(user).size); }
sf_count_t virtual_tell(void* user) { return static_cast<sf_count_t>(self(user).position); }
sf_count_t virtual_seek(sf_count_t offset, int whence, void* user) {
  VirtualFile& file = self(user);
  sf_count_t base = 0;
  if (whence == SEEK_CUR) base = static_cast<sf_count_t>(file.position);
  if (whence == SEEK_END) base = static_cast<sf_count_t>(file.size);
  const bool reading = file.read != nullptr;
  if (offset < -base || (reading && base + offset > static_cast<sf_count_t>(file.size))) return -1;
  file.position = static_cast<std::uint64_t>(base + offset);
  return base + offset;
}
sf_count_t virtual_read(void* to, sf_count_t count, void* user) {
  VirtualFile& file = self(user);
  if (file.position >= file.size || count <= 0) return 0;
  const std::uint64_t take = std::min(file.size - file.position, static_cast<std::uint64_t>(count));
  try {
    if (file.read == nullptr)
      std::memcpy(to, file.written.data() + file.position, take);
    else if (file.read->read_at(to, take, file.position) != take)
      return 0;
  } catch (...) {
    file.failure = std::current_exception();
    return 0;
  }
  file.position += take;
  return static_cast<sf_count_t>(take);
}
sf_count_t virtual_write(const void* from, sf_count_t count, void* user) {
  VirtualFile& file = self(user);
  if (count <= 0) return 0;
  const std::uint64_t end = file.position + static_cast<std::uint64_t>(count);
  if (end > file.written.size()) file.written.resize(end);
  std::memcpy(file.written.data() + file.position, from, static_cast<std::size_t>(count));
  file.position = end;
  file.size = file.written.size();
  return count;
}

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

void refuse_format(int rate_hz, int channels, const std::string& name) {
  refuse_sound(name, "its header gives " + std::to_string(rate_hz) + " Hz and " + std::to_string(channels) +
                         " channels");
}

// What libsndfile takes without a word, or says in words of its own. A data chunk that promises more than the
// file holds it shortens: a file cut short would pass as a shorter clip.
void check_wav_chunks(const SoundBytes& file, const std::string& name) {
  std::array<std::uint8_t, 16> head{};
  if (file.read_at(head.data(), 12, 0) != 12 || std::memcmp(head.data(), "RIFF", 4) != 0) return;
  std::uint64_t at = 12;
  for (int chunk = 0; chunk < k_chunk_limit && file.read_at(head.data(), 8, at) == 8; ++chunk) {
    const std::uint64_t size = load_le32(head.data() + 4);
    if (std::memcmp(head.data(), "data", 4) == 0) {
      if (at + 8 + size > file.size())
        refuse_sound(name, "truncated: its header declares " + std::to_string(size) +
                               " bytes of samples, the file has " + std::to_string(file.size() - at - 8));
      return;
    }
    if (std::memcmp(head.data(), "fmt ", 4) == 0 && file.read_at(head.data(), 16, at + 8) == 16) {
      const int channels = load_le16(head.data() + 2);
      const std::uint32_t rate_hz = load_le32(head.data() + 4);
      if (channels == 0 || rate_hz == 0) refuse_format(static_cast<int>(rate_hz), channels, name);
    }
    at += 8 + size + (size & 1);
  }
  refuse_sound(name, "it has no data chunk");
}

}  // namespace

void refuse_sound(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::mismatch, name + " does not decode as sound: " + why +
                                       "; replace the file or leave it out of the manifest");
}

SF_VIRTUAL_IO virtual_io() {
  return {virtual_length, virtual_seek, virtual_read, virtual_write, virtual_tell};
}

OpenSound::OpenSound(const SoundBytes& file, const std::string& name) : name_(name) {
  if (file.size() == 0) refuse_sound(name, "it is empty");
  check_wav_chunks(file, name);
  virtual_.read = &file;
  virtual_.size = file.size();
  SF_VIRTUAL_IO io = virtual_io();
  handle_.reset(::sf_open_virtual(&io, SFM_READ, &info_, &virtual_));
  rethrow();
  // libsndfile's own words for it stand in one place for all threads, and another thread's might be read.
  if (!handle_) refuse_sound(name, "it is not a WAV, FLAC or MP3 file, or its header is damaged");
  if (info_.frames <= 0) refuse_sound(name, "it has no samples");
  if (info_.samplerate <= 0 || info_.channels <= 0 || info_.channels > 64)
    refuse_format(info_.samplerate, info_.channels, name);
  if (static_cast<std::uint64_t>(info_.frames) > k_sound_limit_samples / channels())
    refuse_sound(name, "its header declares " + std::to_string(info_.frames) + " frames of " +
                           std::to_string(info_.channels) + " channels, more than the limit of " +
                           std::to_string(k_sound_limit_samples) +
                           " samples, which are three hours of 48 kHz stereo");
}

AudioFacts OpenSound::facts() const {
  return {container_of(info_.format), sample_format_of(info_.format), info_.samplerate, info_.channels,
          static_cast<std::uint64_t>(info_.frames)};
}

void OpenSound::skip_to(std::uint64_t frame) {
  if (sample_format_of(info_.format) != SampleFormat::compressed) {
    if (::sf_seek(handle_.get(), static_cast<sf_count_t>(frame), SEEK_SET) < 0)
      refuse_sound(name_, "it is not seekable");
    return;
  }
  std::vector<float> block(k_block_frames * channels());
  while (frame > 0) {
    const std::uint64_t take = std::min<std::uint64_t>(frame, k_block_frames);
    read_exactly(block.data(), take, ::sf_readf_float);
    frame -= take;
  }
}

void OpenSound::expect_frames(std::uint64_t wanted, sf_count_t got) const {
  rethrow();
  if (got != static_cast<sf_count_t>(wanted))
    refuse_sound(name_, "truncated: its header declares " + std::to_string(info_.frames) +
                            " frames, fewer can be decoded");
}

void OpenSound::rethrow() const {
  if (virtual_.failure) std::rethrow_exception(virtual_.failure);
}

}  // namespace common
