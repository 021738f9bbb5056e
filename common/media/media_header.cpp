#include "common/media/media_header.hpp"

#include <algorithm>
#include <cstring>

#include "common/media/jpeg_segments.hpp"

namespace common {
namespace {

// What is read of a "fmt " chunk: WAVE_FORMAT_EXTENSIBLE has the most.
constexpr std::size_t k_format_bytes = 26;

// libpng's own.
constexpr std::uint32_t k_png_limit_side = 1'000'000;

bool has_tag(ByteView file, std::size_t at, const char* tag) {
  const std::size_t length = std::strlen(tag);
  return file.size() >= at + length && std::memcmp(file.data() + at, tag, length) == 0;
}

std::optional<SampleFormat> wav_format(unsigned tag, unsigned bits) {
  if (tag == 1 && bits == 8) return SampleFormat::pcm_u8;
  if (tag == 1 && bits == 16) return SampleFormat::pcm_16;
  if (tag == 1 && bits == 24) return SampleFormat::pcm_24;
  if (tag == 1 && bits == 32) return SampleFormat::pcm_32;
  if (tag == 3 && bits == 32) return SampleFormat::float_32;
  if (tag == 3 && bits == 64) return SampleFormat::float_64;
  return std::nullopt;
}

std::optional<AudioFacts> wav_header(ByteView file, std::uint64_t file_bytes) {
  std::optional<AudioFacts> facts;
  std::size_t frame_bytes = 0;
  for (std::size_t at = 12; at + 8 <= file.size();) {
    const std::size_t size = load_le32(file.data() + at + 4);
    const std::size_t body = at + 8;
    if (body > file_bytes || size > file_bytes - body) return std::nullopt;
    if (has_tag(file, at, "fmt ") && size >= 16) {
      if (body + std::min<std::size_t>(size, k_format_bytes) > file.size()) return std::nullopt;
      const std::uint8_t* p = file.data() + body;
      unsigned tag = load_le16(p);
      // WAVE_FORMAT_EXTENSIBLE keeps the tag in the first two bytes of its sub-format.
      if (tag == 0xfffe && size >= 26) tag = load_le16(p + 24);
      const auto format = wav_format(tag, load_le16(p + 14));
      frame_bytes = load_le16(p + 12);
      const std::uint32_t rate = load_le32(p + 4);
      if (!format || frame_bytes == 0 || rate == 0 || rate > 1'000'000) return std::nullopt;
      facts = AudioFacts{AudioContainer::wav, *format, static_cast<int>(rate), load_le16(p + 2), 0};
      if (facts->channels == 0) return std::nullopt;
    } else if (has_tag(file, at, "data")) {
      if (!facts || size == 0) return std::nullopt;
      facts->frames = size / frame_bytes;
      return facts;
    }
    at = body + size + size % 2;
  }
  return std::nullopt;
}

// RFC 9639, STREAMINFO: 20 bits of rate, 3 of channels - 1, 5 of bits - 1, 36 of samples.
std::optional<AudioFacts> flac_header(ByteView file) {
  if (file.size() < 42 || (file[4] & 0x7f) != 0) return std::nullopt;
  const std::uint8_t* p = file.data() + 18;
  const std::uint64_t rate = load_be(p, 3) >> 4;
  const int channels = ((p[2] >> 1) & 7) + 1;
  const std::uint64_t frames = (static_cast<std::uint64_t>(p[3] & 15) << 32) | load_be(p + 4, 4);
  if (rate == 0 || frames == 0) return std::nullopt;
  return AudioFacts{AudioContainer::flac, SampleFormat::compressed, static_cast<int>(rate), channels, frames};
}

// ITU-T T.81: the frame header is the first SOFn segment; C4, C8 and CC are other tables with like codes.
std::optional<PictureSize> jpeg_header(ByteView file) {
  JpegSegments segments(file);
  while (const auto segment = segments.next()) {
    const std::uint8_t code = segment->marker;
    if (code < 0xc0 || code > 0xcf || code == 0xc4 || code == 0xc8 || code == 0xcc) continue;
    if (segment->body.size() < 5) return std::nullopt;
    const PictureSize facts{static_cast<int>(load_be(segment->body.data() + 3, 2)),
                            static_cast<int>(load_be(segment->body.data() + 1, 2))};
    return facts.width > 0 && facts.height > 0 ? std::optional(facts) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<PictureSize> png_header(ByteView file) {
  if (file.size() < 24 || !has_tag(file, 12, "IHDR")) return std::nullopt;
  const std::uint64_t width = load_be(file.data() + 16, 4);
  const std::uint64_t height = load_be(file.data() + 20, 4);
  if (width == 0 || height == 0 || width > k_png_limit_side || height > k_png_limit_side) return std::nullopt;
  return PictureSize{static_cast<int>(width), static_cast<int>(height)};
}

}  // namespace

std::optional<AudioFacts> sound_header(ByteView head, std::uint64_t file_bytes) {
  if (has_tag(head, 0, "RIFF") && has_tag(head, 8, "WAVE")) return wav_header(head, file_bytes);
  if (has_tag(head, 0, "fLaC")) return flac_header(head);
  return std::nullopt;
}

std::optional<PictureSize> picture_header(ByteView head) {
  if (head.size() >= 2 && head[0] == 0xff && head[1] == 0xd8) return jpeg_header(head);
  if (has_tag(head, 0, "\x89PNG\r\n\x1a\n")) return png_header(head);
  return std::nullopt;
}

}  // namespace common
