// Sounds in every form that libsndfile writes, and what programs that write to a pipe and disks that fill up
// make of them.
#pragma once

#include <sndfile.h>

#include <cstring>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/media/audio.hpp"
#include "common/media/mp3_frames.hpp"

namespace support {

using common::Bytes;

struct MemoryFile {
  Bytes bytes;
  std::size_t position = 0;
};

inline SF_VIRTUAL_IO memory_io() {
  const auto self = [](void* user) -> MemoryFile& { return *static_cast<MemoryFile*>(user); };
  (void)self;
  return {[](void* user) { return static_cast<sf_count_t>(static_cast<MemoryFile*>(user)->bytes.size()); },
          [](sf_count_t offset, int whence, void* user) {
            MemoryFile& file = *static_cast<MemoryFile*>(user);
            sf_count_t base = 0;
            if (whence == SEEK_CUR) base = static_cast<sf_count_t>(file.position);
            if (whence == SEEK_END) base = static_cast<sf_count_t>(file.bytes.size());
            file.position = static_cast<std::size_t>(base + offset);
            return base + offset;
          },
          [](void* to, sf_count_t count, void* user) {
            MemoryFile& file = *static_cast<MemoryFile*>(user);
            if (file.position >= file.bytes.size()) return sf_count_t{0};
            const std::size_t take =
                std::min(static_cast<std::size_t>(count), file.bytes.size() - file.position);
            std::memcpy(to, file.bytes.data() + file.position, take);
            file.position += take;
            return static_cast<sf_count_t>(take);
          },
          [](const void* from, sf_count_t count, void* user) {
            MemoryFile& file = *static_cast<MemoryFile*>(user);
            const std::size_t end = file.position + static_cast<std::size_t>(count);
            if (end > file.bytes.size()) file.bytes.resize(end);
            std::memcpy(file.bytes.data() + file.position, from, static_cast<std::size_t>(count));
            file.position = end;
            return count;
          },
          [](void* user) { return static_cast<sf_count_t>(static_cast<MemoryFile*>(user)->position); }};
}

enum class BitRate { constant, variable };

// `format` is libsndfile's. Empty where it cannot write that.
inline Bytes encode_sound(const common::Waveform& sound, int format, BitRate rate = BitRate::constant) {
  MemoryFile file;
  SF_INFO info{};
  info.samplerate = sound.rate_hz;
  info.channels = sound.channels;
  info.format = format;
  SF_VIRTUAL_IO io = memory_io();
  SNDFILE* handle = ::sf_open_virtual(&io, SFM_WRITE, &info, &file);
  if (handle == nullptr) return {};
  if ((format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG) {
    int mode = rate == BitRate::variable ? SF_BITRATE_MODE_VARIABLE : SF_BITRATE_MODE_CONSTANT;
    ::sf_command(handle, SFC_SET_BITRATE_MODE, &mode, sizeof(mode));
  }
  ::sf_writef_float(handle, sound.samples.data(), static_cast<sf_count_t>(sound.frames()));
  ::sf_close(handle);
  return std::move(file.bytes);
}

inline Bytes encode_mp3(const common::Waveform& sound, BitRate rate) {
  return encode_sound(sound, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, rate);
}

// Where an MP3's first frame begins.
inline std::size_t first_mp3_frame(const Bytes& mp3) {
  std::size_t at = 0;
  if (std::memcmp(mp3.data(), "ID3", 3) == 0)
    at = 10 +
         ((std::size_t{mp3[6]} << 21) | (std::size_t{mp3[7]} << 14) | (std::size_t{mp3[8]} << 7) | mp3[9]);
  return at;
}
// Without what states the number of its frames, as everything that is written to a pipe is.
inline Bytes without_xing(const Bytes& mp3) {
  const std::size_t at = first_mp3_frame(mp3);
  const auto header = common::Mp3Header::parse(common::ByteView(mp3).subspan(at, 4));
  ENSURE(header && header->bytes > 0);
  return Bytes(mp3.begin() + static_cast<std::ptrdiff_t>(at + header->bytes), mp3.end());
}
// Where `tag` begins.
inline std::size_t find_tag(const Bytes& bytes, const char* tag) {
  const std::string_view text = common::text_of(bytes);
  const std::size_t at = text.find(tag);
  ENSURE(at != std::string_view::npos);
  return at;
}

}  // namespace support
